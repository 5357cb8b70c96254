interface Part {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** The parts of a test run, each with its result and its time: what failed is said last, also when it is no test. */
export class Parts {
  private readonly done: Part[] = [];

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  run(name: string, work: () => boolean): void {
    const startedMs = this.nowMs();
    const passed = work();
    this.done.push({ name, passed, seconds: Math.round((this.nowMs() - startedMs) / 1_000) });
  }

  get healthy(): boolean {
    return this.done.every(({ passed }) => passed);
  }

  summary(): string {
    return this.done
      .map(({ name, passed, seconds }) => `  ${name.padEnd(9)} ${passed ? 'passed' : 'FAILED'}  ${seconds} s`)
      .join('\n');
  }
}

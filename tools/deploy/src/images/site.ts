import path from 'node:path';
import { type Engine, type Ran, run } from './engine.js';

const MINUTE_MS = 60_000;

/** A site of the Compose file, in a project of its own. */
export class Site {
  constructor(
    private readonly engine: Engine,
    private readonly root: string,
    private readonly project: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  compose(args: readonly string[], minutes = 5): Promise<Ran> {
    const [program, ...first] = this.engine.compose;
    const file = path.join(this.root, 'docker', 'compose.yml');
    return run(program, [...first, '--project-name', this.project, '--file', file, ...args], {
      withinMs: minutes * MINUTE_MS,
      env: this.env,
      cwd: path.join(this.root, 'docker'),
    });
  }

  /** @throws Error with what it printed */
  async must(args: readonly string[], minutes?: number): Promise<string> {
    const { code, output } = await this.compose(args, minutes);
    if (code !== 0) throw new Error(`compose ${args.join(' ')} ended with ${code}:\n${output.slice(-6_000)}`);
    return output;
  }

  /** Names of its containers that run, by what the engine says. */
  async running(): Promise<string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=${this.project}`, '--format', '{{.Names}}'];
    const { output } = await run(this.engine.program, ['ps', ...filter], { withinMs: MINUTE_MS });
    return output.split('\n').filter((line) => line !== '');
  }

  engineRun(args: readonly string[], minutes = 2): Promise<Ran> {
    return run(this.engine.program, args, { withinMs: minutes * MINUTE_MS });
  }
}

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Between two looks at the lag of the event loop. The default of 10 ms costs a program at rest more than its own work. */
const LAG_PRECISION_MS = 100;

/** The numbers of one process, in Prometheus' text form at `/metrics`. */
export class Metrics {
  readonly registry = new Registry();

  constructor(service: string) {
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /**
   * A gauge whose value is asked for when somebody reads it, for what the whole installation has and no process knows. No
   * number (NaN) where nobody answers: a value of yesterday would scale by yesterday.
   */
  askedGauge(name: string, help: string, ask: () => Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await ask().catch(() => Number.NaN));
      },
    });
  }

  /** The same for several values that differ in a label. */
  askedGauges(
    name: string,
    help: string,
    label: string,
    ask: () => Promise<readonly (readonly [string, number])[]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const values = await ask().catch(() => []);
        this.reset();
        for (const [of, value] of values) this.set({ [label]: of }, value);
      },
    });
  }

  histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Histogram<Label> {
    const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    return new Histogram({ name, help, labelNames: [...labelNames], buckets, registers: [this.registry] });
  }
}

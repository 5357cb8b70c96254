import type { Peer } from '@aerie/kernel';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { traceWith } from './traces.js';

export interface TraceSettings {
  /** Undefined: nothing is traced, and nothing of the SDK is loaded. */
  readonly collector: Peer | undefined;
  readonly share: number;
}

/** Begins to trace, where that is asked for. Returns how to stop: what waits then is sent, in a few seconds or not at all. */
export async function startTraces(
  service: string,
  { collector, share }: TraceSettings,
  metrics: Metrics,
  logger: Logger,
): Promise<() => Promise<void>> {
  const spans = metrics.counter(
    'trace_spans_total',
    'Spans by what became of them. `left_out`: too many waited for the collector. `failed`: it did not take them.',
    ['outcome'],
  );
  for (const outcome of ['sent', 'left_out', 'failed'] as const) spans.inc({ outcome }, 0);
  if (collector === undefined) return async () => undefined;
  const { OpenTelemetry } = await import('./open-telemetry.js');
  const counts = {
    count: (outcome: 'sent' | 'left_out' | 'failed', count: number) => spans.inc({ outcome }, count),
    changed: (error: Error | null) =>
      error === null
        ? logger.info({ collector: String(collector) }, 'the collector takes traces again')
        : logger.warn({ err: error, collector: String(collector) }, 'the collector does not take traces'),
  };
  const maker = new OpenTelemetry({ service, collector, counts });
  traceWith({ maker, share });
  logger.info({ collector: String(collector), share }, 'traces are on');
  return async () => {
    traceWith(undefined);
    await maker.stop();
  };
}

import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

export interface SpanCounts {
  count(outcome: 'sent' | 'left_out' | 'failed', spans: number): void;
  /** The collector takes spans again, or does not: said once each time. */
  changed(error: Error | null): void;
}

/** Some 2 MB. Beyond it spans are left out: a collector that is away costs no more than that. */
const MOST_WAITING = 4_096;
const AT_ONCE = 512;
const EVERY_MS = 2_000;
/** At a planned stop. */
const STOP_WITHIN_MS = 2_000;

/**
 * Spans wait here for their way to the collector, a bounded number of them. One request is under way at a time, and nothing
 * but spans ever waits for it. Of what does not leave, each is counted.
 */
export class SpanQueue implements SpanProcessor {
  private waiting: ReadableSpan[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private isRefused = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly counts: SpanCounts,
  ) {}

  onStart(): void {
    // Only what has ended is sent.
  }

  onEnd(span: ReadableSpan): void {
    if (this.waiting.length >= MOST_WAITING) return this.counts.count('left_out', 1);
    this.waiting.push(span);
    if (this.waiting.length >= AT_ONCE) this.send();
    else this.timer ??= setTimeout(() => this.send(), EVERY_MS).unref();
  }

  /** All that waits now. */
  async forceFlush(): Promise<void> {
    while (this.waiting.length > 0 || this.sending !== undefined) {
      this.send();
      await this.sending;
    }
  }

  async shutdown(): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    await Promise.race([this.forceFlush(), new Promise((resolve) => (late = setTimeout(resolve, STOP_WITHIN_MS)))]);
    clearTimeout(late);
    clearTimeout(this.timer);
    await this.exporter.shutdown();
  }

  private send(): void {
    if (this.sending !== undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const spans = this.waiting.slice(0, AT_ONCE);
    this.waiting = this.waiting.slice(AT_ONCE);
    if (spans.length === 0) return;
    this.sending = this.export(spans).then((error) => {
      this.sending = undefined;
      this.counts.count(error === null ? 'sent' : 'failed', spans.length);
      if (this.isRefused !== (error !== null)) this.counts.changed(error);
      this.isRefused = error !== null;
      if (this.waiting.length >= AT_ONCE) this.send();
      else if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.send(), EVERY_MS).unref();
    });
  }

  /** Never rejects: nobody waits for it, so a rejection would end the process. */
  private export(spans: ReadableSpan[]): Promise<Error | null> {
    const exported = new Promise<Error | null>((resolve) =>
      this.exporter.export(spans, ({ code, error }) =>
        resolve(Number(code) === SUCCESS ? null : (error ?? new Error('the collector refused spans'))),
      ),
    );
    return exported.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  }
}

/** `ExportResultCode.SUCCESS` of a package that is not among our own. */
const SUCCESS = 0;

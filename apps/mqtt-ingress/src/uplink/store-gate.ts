import type { NatsConnection } from '@aerie/messaging';
import { declareTopology } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';

const POLL_MS = 250;
/** A stream that is full answers and does not store: so the tries grow rarer until one store has succeeded. */
const LONGEST_REST_MS = 5_000;

/**
 * Open while JetStream stores. While it is closed no control connection to the broker may exist: the broker then
 * keeps what docks send, and no PUBACK is held near the keepalive.
 */
export class StoreGate {
  private open = false;
  private stopped = false;
  private failuresInARow = 0;
  private closedListeners: (() => void)[] = [];

  constructor(
    private readonly connection: NatsConnection,
    private readonly logger: Logger,
  ) {}

  get isOpen(): boolean {
    return this.open;
  }

  onClose(listener: () => void): void {
    this.closedListeners.push(listener);
  }

  /** A message was stored: what closed the gate before is over. */
  stored(): void {
    this.failuresInARow = 0;
  }

  start(): void {
    void this.watchConnection();
    void this.reopen();
  }

  stop(): void {
    this.stopped = true;
  }

  /** A store failed: everybody leaves the broker until JetStream answers again. */
  close(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.failuresInARow++;
    this.logger.warn({ reason }, 'JetStream does not store; leaving the broker until it does');
    for (const listener of this.closedListeners) listener();
    void this.reopen();
  }

  private async reopen(): Promise<void> {
    // The first time at once: usually the connection is back before anything else.
    const restMs = this.failuresInARow <= 1 ? 0 : Math.min(LONGEST_REST_MS, POLL_MS * 2 ** (this.failuresInARow - 1));
    await new Promise((resolve) => setTimeout(resolve, restMs));
    while (!this.stopped && !this.open) {
      try {
        // Declares what a wiped JetStream has lost; with interest retention a missing consumer would lose messages.
        const leftAlone = await declareTopology(this.connection);
        if (leftAlone.length > 0) this.logger.warn({ streams: leftAlone }, 'a newer release declared these streams');
        this.open = true;
        this.logger.info('JetStream stores');
      } catch (error) {
        this.logger.debug({ err: error }, 'JetStream does not answer yet');
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  private async watchConnection(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect' || type === 'staleConnection') this.close('the connection to NATS is lost');
    }
  }
}

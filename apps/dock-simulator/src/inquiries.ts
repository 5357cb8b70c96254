import type { DockContext } from './context.js';
import { type Json, topics } from './wire.js';

interface Open {
  /** Every try has its own tid; a late answer to an earlier one is still an answer. */
  readonly tids: Set<string>;
  readonly settle: (answer: Json | undefined) => void;
}

export interface Inquiry {
  readonly method: string;
  readonly data: unknown;
  /** Topology goes over `status`, everything else over `requests`. */
  readonly over?: 'requests' | 'status';
  readonly bid?: string;
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

/** Questions of the dock to the cloud. Each is repeated with growing pauses, and none waits for ever. */
export class Inquiries {
  private readonly open = new Set<Open>();

  constructor(
    private readonly context: DockContext,
    private readonly publish: (topic: string, payload: string) => boolean,
  ) {}

  /** The `data` of the answer; undefined when nobody answered or the connection went. */
  ask(inquiry: Inquiry): Promise<Json | undefined> {
    const { settings, journal, newId } = this.context;
    const attempts = inquiry.attempts ?? settings.requestAttempts;
    const firstMs = inquiry.timeoutMs ?? settings.requestTimeoutMs;
    const bid = inquiry.bid ?? newId();
    return new Promise<Json | undefined>((resolve) => {
      let attempt = 0;
      let timer: NodeJS.Timeout | undefined;
      const open: Open = {
        tids: new Set(),
        settle: (data) => {
          clearTimeout(timer);
          this.open.delete(open);
          resolve(data);
        },
      };
      const tryOnce = (): void => {
        if (attempt >= attempts) {
          journal.note('unanswered', { method: inquiry.method });
          open.settle(undefined);
          return;
        }
        const tid = newId();
        open.tids.add(tid);
        this.send(inquiry, tid, bid);
        timer = setTimeout(tryOnce, Math.min(firstMs * 2 ** attempt, firstMs * 10));
        attempt += 1;
      };
      this.open.add(open);
      tryOnce();
    });
  }

  answered(tid: string, data: Json): void {
    for (const open of this.open) if (open.tids.has(tid)) open.settle(data);
  }

  /** The connection went; who asked decides what to do when it is back. */
  abandon(): void {
    for (const open of this.open) open.settle(undefined);
  }

  private send(inquiry: Inquiry, tid: string, bid: string): void {
    const { settings, write } = this.context;
    const topic = inquiry.over === 'status' ? topics.status(settings.sn) : topics.requests(settings.sn);
    const { method, data } = inquiry;
    const message = { tid, bid, method, gateway: settings.sn, data, isRequest: inquiry.over !== 'status' };
    this.publish(topic, write(message));
  }
}

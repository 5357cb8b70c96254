import { type BulkOwner, isBulk, overflowSubject } from '@aerie/bus-contract';
import { type NoteDocks, isStreamFull } from '@aerie/messaging';
import type { Metrics } from '@aerie/observability';
import { LRUCache } from 'lru-cache';
import type { Store } from './receive-uplink.js';
import { type Refill, Share } from './share.js';

/** Of each device so much is kept at first, and then so much a day: no dock takes the room of another. */
const BYTES_A_DAY = 1024 * 1024;
const DAY_SECONDS = 24 * 3_600;
const BYTES: Refill = { saved: BYTES_A_DAY, perSecond: BYTES_A_DAY / DAY_SECONDS };
const MESSAGES: Refill = { saved: 1_000, perSecond: 1_000 / DAY_SECONDS };
const BULK_OWNERS = ['fleet', 'log', 'credential', 'none'] as const satisfies readonly BulkOwner[];
/** Devices whose share is remembered; one that is forgotten begins with a full one. */
const MAX_SHARES = 20_000;

export interface OverflowParts {
  readonly store: Store;
  readonly notes: Pick<NoteDocks, 'note'>;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
}

/**
 * Stores uplinks. What a full bulk stream refuses goes to the overflow, from where it can be stored again; what has no room
 * there either is left out: it is acknowledged and not kept. Both are counted, and the dock gets a note.
 *
 * INVARIANT: a bulk stream that is full makes no store fail, since nothing that a flight waits for may wait for it.
 * Whatever else goes wrong fails as ever: then nothing else could be stored either.
 */
export class Overflow {
  private readonly shares = new LRUCache<string, Share>({ max: MAX_SHARES });
  private readonly kept;
  private readonly leftOut;

  constructor(private readonly parts: OverflowParts) {
    const { metrics } = parts;
    this.kept = metrics.counter(
      'ingress_overflow_total',
      'Messages kept in the overflow, since the stream of the service that reads them is full.',
      ['owner'],
    );
    this.leftOut = metrics.counter(
      'ingress_overflow_left_out_total',
      'Messages acknowledged and not kept: neither the stream of their service nor the overflow has room for them.',
      ['owner'],
    );
    // From the start on: the first is no rise of a number that nobody has seen before.
    for (const owner of BULK_OWNERS) this.leftOut.inc({ owner }, 0);
  }

  async store(...[subject, body, messageId]: Parameters<Store>): Promise<void> {
    const { store, notes, nowMs } = this.parts;
    if (await isTaken(store(subject, body, messageId), isBulk(subject))) return;
    const [, , owner = '', sn = ''] = subject.split('.');
    const atMs = nowMs();
    const hasRoom = this.shareOf(sn, atMs).take(Buffer.byteLength(body), atMs);
    // The id again: of a store whose answer was lost, the repeat adds nothing.
    const isKept = hasRoom && (await isTaken(store(overflowSubject(subject), body, messageId), true));
    (isKept ? this.kept : this.leftOut).inc({ owner });
    notes.note(sn, 'store_full', atMs, isKept ? `${owner}: kept aside` : `${owner}: left out`);
  }

  private shareOf(sn: string, nowMs: number): Share {
    const known = this.shares.get(sn);
    if (known !== undefined) return known;
    const share = new Share(MESSAGES, BYTES, nowMs);
    this.shares.set(sn, share);
    return share;
  }
}

/** False where the stream may be full and is. */
async function isTaken(stored: Promise<void>, mayBeFull: boolean): Promise<boolean> {
  try {
    await stored;
    return true;
  } catch (error) {
    if (mayBeFull && isStreamFull(error)) return false;
    throw error;
  }
}

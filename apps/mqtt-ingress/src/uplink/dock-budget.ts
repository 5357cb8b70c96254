import type { NoteDocks } from '@aerie/messaging';
import type { Metrics } from '@aerie/observability';
import { LRUCache } from 'lru-cache';
import type { FloodWatch } from './flood-watch.js';
import { Share } from './share.js';

/** What one device may send in a second, over a minute or more. */
export interface BudgetOptions {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/**
 * `vital`: replies, the reports of flights and topologies. They are never left out, and have a share of their own.
 * `telemetry`: comes again each second; the first that is left out. `other`: all else.
 */
type Weight = 'vital' | 'telemetry' | 'other';

/** So much may be saved up: what a broker kept during a short outage of ours comes at once. */
const SAVED_SECONDS = 60;
/** Telemetry is left out below this share of what may be saved up. */
const TELEMETRY_NEEDS = 0.5;
/** Devices that are remembered. One that is forgotten begins with a full budget. */
const MAX_DEVICES = 20_000;

/** Reports of flights, and what a dock asks about them. Looked for in the bytes: nothing is parsed that may be left out. */
const OF_FLIGHTS = Buffer.from('"flighttask_');

interface Shares {
  readonly common: Share;
  readonly vital: Share;
}

/**
 * What each device may cost all others. Judged by the topic, and by one look at the bytes, before anything is parsed. What
 * is over it is acknowledged and left out: the one thing that a dock is told is kept and that is not. It is counted, and the
 * dock gets a note.
 */
export class DockBudget {
  private readonly devices = new LRUCache<string, Shares>({ max: MAX_DEVICES });
  private readonly leftOut;

  constructor(
    private readonly options: BudgetOptions,
    private readonly notes: Pick<NoteDocks, 'note'>,
    private readonly floods: Pick<FloodWatch, 'note'>,
    metrics: Metrics,
  ) {
    this.leftOut = metrics.counter(
      'ingress_left_out_total',
      'Messages of docks that send more than their budget. `vital` ones are counted here and taken all the same.',
      ['weight'],
    );
  }

  /** Whether a message is taken. */
  admits(topic: string, payload: Uint8Array, nowMs: number): boolean {
    const sn = topic.split('/')[2] ?? '';
    const weight = weightOf(topic, payload);
    const shares = this.devices.get(sn) ?? this.begin(sn, nowMs);
    const share = weight === 'vital' ? shares.vital : shares.common;
    const isWithin = share.take(payload.byteLength, nowMs, weight === 'telemetry' ? TELEMETRY_NEEDS : 0);
    this.floods.note(sn, payload.byteLength, !isWithin, nowMs);
    if (isWithin) return true;
    this.leftOut.inc({ weight });
    this.notes.note(sn, 'over_budget', nowMs, weight);
    return weight === 'vital';
  }

  private begin(sn: string, nowMs: number): Shares {
    const { messagesPerSecond, bytesPerSecond } = this.options;
    const share = (): Share =>
      new Share(
        { saved: messagesPerSecond * SAVED_SECONDS, perSecond: messagesPerSecond },
        { saved: bytesPerSecond * SAVED_SECONDS, perSecond: bytesPerSecond },
        nowMs,
      );
    const shares = { common: share(), vital: share() };
    this.devices.set(sn, shares);
    return shares;
  }
}

function weightOf(topic: string, payload: Uint8Array): Weight {
  if (topic.endsWith('/osd')) return 'telemetry';
  if (topic.endsWith('_reply') || topic.endsWith('/status')) return 'vital';
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return bytes.includes(OF_FLIGHTS) ? 'vital' : 'other';
}

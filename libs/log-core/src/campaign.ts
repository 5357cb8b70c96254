/** The states of a campaign. One that is outside of its hours, or before it may begin, is `running`. */
export const CAMPAIGN_STATES = ['running', 'paused', 'finished', 'stopped', 'canceled'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

/** What an operator may do with a campaign. */
export const CAMPAIGN_WISHES = ['pause', 'resume', 'cancel'] as const;
export type CampaignWish = (typeof CAMPAIGN_WISHES)[number];

export const isCampaignOver = (state: CampaignState): boolean =>
  state === 'finished' || state === 'stopped' || state === 'canceled';

/** How fast a campaign may go. */
export interface Pace {
  readonly docksPerMinute: number;
  /** Docks that export at once. */
  readonly concurrent: number;
  /** No further dock begins while those that export upload faster than this together. Null: no such limit. */
  readonly bytesPerSecond: number | null;
}

/** Hours of the day in which docks may begin, by the clock of UTC. `from` after `until` spans midnight. */
export interface Hours {
  readonly fromMinute: number;
  readonly untilMinute: number;
}

/** When too many docks have failed for going on to make sense. */
export interface Threshold {
  readonly failedPercent: number;
  /** Before so many docks have ended, a share says nothing. */
  readonly afterDocks: number;
}

export interface Campaign {
  readonly state: CampaignState;
  readonly pace: Pace;
  readonly hours: Hours | null;
  readonly threshold: Threshold;
  /** What had ended when somebody resumed it after failures: it counts no more against the threshold. */
  readonly forgiven: Ended;
  /** The next dock begins no sooner. */
  readonly nextStartMs: number;
  /** Begun docks end, waiting ones are left. */
  readonly untilMs: number | null;
}

export interface Ended {
  readonly done: number;
  readonly failed: number;
}

export interface Tally extends Ended {
  readonly waiting: number;
  readonly running: number;
  /** Of those that run. */
  readonly bytesPerSecond: number;
}

export type CampaignStep =
  | { readonly kind: 'start'; readonly docks: number; readonly nextStartMs: number; readonly nextActionAtMs: number }
  | { readonly kind: 'wait'; readonly nextActionAtMs: number }
  | {
      readonly kind: 'end';
      readonly state: 'finished' | 'stopped';
      readonly cause: 'too_many_failed' | 'time_over' | null;
    };

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** The end of a dock wakes the campaign by itself; this is for what nobody told. */
const LOOK_EVERY_MS = 15_000;

/** What a running campaign does now. A campaign that is paused or over does nothing. */
export function nextStep(campaign: Campaign, tally: Tally, nowMs: number): CampaignStep {
  const { pace, threshold, untilMs } = campaign;
  const failed = tally.failed - campaign.forgiven.failed;
  const ended = tally.done - campaign.forgiven.done + failed;
  // Whole numbers: as a fraction, 7 of 100 are more than 7 %.
  if (ended >= threshold.afterDocks && failed * 100 > threshold.failedPercent * ended) {
    return { kind: 'end', state: 'stopped', cause: 'too_many_failed' };
  }
  if (tally.waiting === 0 && tally.running === 0) return { kind: 'end', state: 'finished', cause: null };
  const look: CampaignStep = { kind: 'wait', nextActionAtMs: nowMs + LOOK_EVERY_MS };
  if (tally.waiting === 0) return look;
  if (untilMs !== null && nowMs >= untilMs) {
    return tally.running > 0 ? look : { kind: 'end', state: 'stopped', cause: 'time_over' };
  }
  const opensMs = opensAtMs(campaign.hours, nowMs);
  if (opensMs > nowMs) return { kind: 'wait', nextActionAtMs: Math.min(opensMs, untilMs ?? opensMs) };
  const free = Math.min(pace.concurrent - tally.running, tally.waiting);
  const tooFast = pace.bytesPerSecond !== null && tally.running > 0 && tally.bytesPerSecond >= pace.bytesPerSecond;
  if (free <= 0 || tooFast) return look;
  if (nowMs < campaign.nextStartMs) return { kind: 'wait', nextActionAtMs: campaign.nextStartMs };
  const gapMs = MINUTE_MS / pace.docksPerMinute;
  // A pause is not made up for; a look that came late is, by one dock and a second at most.
  const fromMs = Math.max(campaign.nextStartMs, nowMs - Math.min(1_000, gapMs));
  const docks = Math.min(free, Math.floor((nowMs - fromMs) / gapMs) + 1);
  const nextStartMs = fromMs + docks * gapMs;
  return {
    kind: 'start',
    docks,
    nextStartMs,
    nextActionAtMs: Math.max(nowMs, Math.min(nextStartMs, nowMs + LOOK_EVERY_MS)),
  };
}

/** The instant at or after `nowMs` at which docks may begin. */
export function opensAtMs(hours: Hours | null, nowMs: number): number {
  if (hours === null || hours.fromMinute === hours.untilMinute) return nowMs;
  const { fromMinute, untilMinute } = hours;
  const minute = Math.floor(nowMs / MINUTE_MS) % DAY_MINUTES;
  const open =
    fromMinute < untilMinute
      ? minute >= fromMinute && minute < untilMinute
      : minute >= fromMinute || minute < untilMinute;
  if (open) return nowMs;
  const inMinutes = (fromMinute - minute + DAY_MINUTES) % DAY_MINUTES;
  return (Math.floor(nowMs / MINUTE_MS) + inMinutes) * MINUTE_MS;
}

const AFTER_WISH: Readonly<Record<CampaignWish, Partial<Record<CampaignState, CampaignState>>>> = {
  pause: { running: 'paused', paused: 'paused' },
  resume: { paused: 'running', running: 'running', stopped: 'running' },
  cancel: { running: 'canceled', paused: 'canceled', stopped: 'canceled', canceled: 'canceled' },
};

/** The state after a wish; null where it makes no sense. A campaign that was stopped by failures may be resumed. */
export const afterWish = (state: CampaignState, wish: CampaignWish): CampaignState | null =>
  AFTER_WISH[wish][state] ?? null;

import {
  CAMPAIGN_STATES,
  CAMPAIGN_WISHES,
  type Campaign,
  type CampaignState,
  type CampaignWish,
  type Tally,
  afterWish,
  isCampaignOver,
  nextStep,
  opensAtMs,
} from './campaign.js';

const MINUTE_MS = 60_000;
/** A day at midnight, UTC. */
const MIDNIGHT = Date.UTC(2030, 0, 1);
const at = (hour: number, minute = 0): number => MIDNIGHT + (hour * 60 + minute) * MINUTE_MS;
const NOON = at(12);

const aCampaign = (overrides: Partial<Campaign> = {}): Campaign => ({
  state: 'running',
  pace: { docksPerMinute: 10, concurrent: 5, bytesPerSecond: null },
  hours: null,
  threshold: { failedPercent: 20, afterDocks: 10 },
  forgiven: { done: 0, failed: 0 },
  nextStartMs: NOON,
  untilMs: null,
  ...overrides,
});

const aTally = (overrides: Partial<Tally> = {}): Tally => ({
  ...{ waiting: 100, running: 0, done: 0, failed: 0, bytesPerSecond: 0 },
  ...overrides,
});

const LOOK = { kind: 'wait', nextActionAtMs: NOON + 15_000 };

describe('the pace of a campaign', () => {
  it('begins one dock after another', () => {
    expect(nextStep(aCampaign(), aTally(), NOON)).toEqual({
      kind: 'start',
      docks: 1,
      nextStartMs: NOON + 6_000,
      nextActionAtMs: NOON + 6_000,
    });
  });

  it('waits for the turn of the next dock', () => {
    expect(nextStep(aCampaign({ nextStartMs: NOON + 4_000 }), aTally(), NOON)).toEqual({
      kind: 'wait',
      nextActionAtMs: NOON + 4_000,
    });
  });

  it('looks again before the next dock when docks are slow to begin', () => {
    const pace = { docksPerMinute: 1, concurrent: 5, bytesPerSecond: null };
    expect(nextStep(aCampaign({ pace }), aTally(), NOON)).toMatchObject({
      nextStartMs: NOON + MINUTE_MS,
      nextActionAtMs: NOON + 15_000,
    });
  });

  it('makes up for a look that came a little late', () => {
    expect(nextStep(aCampaign({ nextStartMs: NOON - 900 }), aTally(), NOON)).toMatchObject({
      docks: 1,
      nextStartMs: NOON + 5_100,
    });
  });

  it('does not make up for an outage', () => {
    expect(nextStep(aCampaign({ nextStartMs: NOON - 3_600_000 }), aTally(), NOON)).toMatchObject({
      docks: 1,
      nextStartMs: NOON + 5_000,
    });
  });

  it('makes up for one dock at most, however many begin in a minute', () => {
    const pace = { docksPerMinute: 600, concurrent: 500, bytesPerSecond: null };
    expect(nextStep(aCampaign({ pace, nextStartMs: NOON - 3_600_000 }), aTally(), NOON)).toMatchObject({
      docks: 2,
      nextStartMs: NOON + 100,
    });
  });

  it('begins no more docks than wait', () => {
    const pace = { docksPerMinute: 600, concurrent: 500, bytesPerSecond: null };
    const step = nextStep(aCampaign({ pace, nextStartMs: NOON - 100 }), aTally({ waiting: 1 }), NOON);
    expect(step).toMatchObject({ kind: 'start', docks: 1 });
  });

  it('begins no more docks than may export at once', () => {
    const pace = { docksPerMinute: 600, concurrent: 5, bytesPerSecond: null };
    const step = nextStep(aCampaign({ pace, nextStartMs: NOON - 100 }), aTally({ running: 4 }), NOON);
    expect(step).toMatchObject({ kind: 'start', docks: 1 });
  });

  it('waits while as many export as may', () => {
    expect(nextStep(aCampaign(), aTally({ running: 5 }), NOON)).toEqual(LOOK);
  });

  it('waits for the last docks when none waits for its turn', () => {
    expect(nextStep(aCampaign(), aTally({ waiting: 0, running: 1 }), NOON)).toEqual(LOOK);
  });
});

describe('the speed of all docks together', () => {
  const pace = { docksPerMinute: 10, concurrent: 5, bytesPerSecond: 1_000 };

  it('holds the next dock back at the limit', () => {
    expect(nextStep(aCampaign({ pace }), aTally({ running: 1, bytesPerSecond: 1_000 }), NOON)).toEqual(LOOK);
  });

  it('holds nothing back below the limit', () => {
    expect(nextStep(aCampaign({ pace }), aTally({ running: 1, bytesPerSecond: 999 }), NOON).kind).toBe('start');
  });

  it('holds nothing back when no dock exports', () => {
    expect(nextStep(aCampaign({ pace }), aTally({ bytesPerSecond: 5_000 }), NOON).kind).toBe('start');
  });
});

describe('the end of a campaign', () => {
  it('has come when no dock waits and none exports', () => {
    expect(nextStep(aCampaign(), aTally({ waiting: 0, done: 100 }), NOON)).toEqual({
      kind: 'end',
      state: 'finished',
      cause: null,
    });
  });

  it('comes when too many docks have failed', () => {
    expect(nextStep(aCampaign(), aTally({ done: 7, failed: 3 }), NOON)).toEqual({
      kind: 'end',
      state: 'stopped',
      cause: 'too_many_failed',
    });
  });

  it('comes at once, though docks still export', () => {
    expect(nextStep(aCampaign(), aTally({ running: 4, done: 7, failed: 3 }), NOON).kind).toBe('end');
  });

  it('comes also outside of its hours', () => {
    const hours = { fromMinute: 0, untilMinute: 60 };
    expect(nextStep(aCampaign({ hours }), aTally({ done: 7, failed: 3 }), NOON).kind).toBe('end');
  });

  it('does not come while just as many have failed as may', () => {
    expect(nextStep(aCampaign(), aTally({ done: 8, failed: 2 }), NOON).kind).toBe('start');
  });

  it('does not come by the way in which a machine divides', () => {
    const threshold = { failedPercent: 7, afterDocks: 10 };
    expect(nextStep(aCampaign({ threshold }), aTally({ done: 93, failed: 7 }), NOON).kind).toBe('start');
  });

  it('does not come before enough docks have ended', () => {
    expect(nextStep(aCampaign(), aTally({ failed: 9 }), NOON).kind).toBe('start');
  });

  it('comes with the first failure when none is allowed', () => {
    const threshold = { failedPercent: 0, afterDocks: 1 };
    expect(nextStep(aCampaign({ threshold }), aTally({ failed: 1 }), NOON).kind).toBe('end');
  });

  it('comes when its time is over', () => {
    expect(nextStep(aCampaign({ untilMs: NOON }), aTally(), NOON)).toEqual({
      kind: 'end',
      state: 'stopped',
      cause: 'time_over',
    });
  });

  it('waits for docks that export when its time is over', () => {
    expect(nextStep(aCampaign({ untilMs: NOON }), aTally({ running: 1 }), NOON)).toEqual(LOOK);
  });
});

describe('the hours of a campaign', () => {
  const night = { fromMinute: 22 * 60, untilMinute: 4 * 60 };
  const day = { fromMinute: 9 * 60, untilMinute: 17 * 60 };

  it('hold docks back until they begin', () => {
    expect(nextStep(aCampaign({ hours: night }), aTally(), NOON)).toEqual({ kind: 'wait', nextActionAtMs: at(22) });
  });

  it('are not waited for longer than it lasts', () => {
    expect(nextStep(aCampaign({ hours: night, untilMs: at(13) }), aTally(), NOON)).toEqual({
      kind: 'wait',
      nextActionAtMs: at(13),
    });
  });

  it('let docks begin', () => {
    expect(nextStep(aCampaign({ hours: day }), aTally(), NOON).kind).toBe('start');
  });

  it.each([
    ['before them', day, at(8, 59), at(9)],
    ['as they begin', day, at(9), at(9)],
    ['before they end', day, at(16, 59), at(16, 59)],
    ['as they end', day, at(17), at(33)],
    ['before they begin at night', night, at(21, 59), at(22)],
    ['late at night', night, at(23), at(23)],
    ['early in the morning', night, at(27), at(27)],
    ['as the night ends', night, at(28), at(46)],
  ])('open in time, looked at %s', (_when, hours, nowMs, opensMs) => {
    expect(opensAtMs(hours, nowMs)).toBe(opensMs);
  });

  it('open at the full minute', () => {
    expect(opensAtMs(day, at(8, 59) + 30_500)).toBe(at(9));
  });

  it('are always when they begin as they end', () => {
    expect(opensAtMs({ fromMinute: 60, untilMinute: 60 }, NOON)).toBe(NOON);
  });

  it('are always when there are none', () => {
    expect(opensAtMs(null, NOON)).toBe(NOON);
  });
});

describe('what an operator may wish', () => {
  const ALLOWED: Readonly<Record<CampaignWish, Partial<Record<CampaignState, CampaignState>>>> = {
    pause: { running: 'paused', paused: 'paused' },
    resume: { running: 'running', paused: 'running', stopped: 'running' },
    cancel: { running: 'canceled', paused: 'canceled', stopped: 'canceled', canceled: 'canceled' },
  };
  const all = CAMPAIGN_WISHES.flatMap((wish) => CAMPAIGN_STATES.map((state) => ({ wish, state })));

  it.each(all)('is known for $wish while it is $state', ({ wish, state }) => {
    expect(afterWish(state, wish)).toBe(ALLOWED[wish][state] ?? null);
  });

  it('ends with these states', () => {
    expect(CAMPAIGN_STATES.filter(isCampaignOver)).toEqual(['finished', 'stopped', 'canceled']);
  });
});

describe('a campaign that is resumed in spite of failures', () => {
  const failed = aTally({ done: 7, failed: 3 });
  const resumed = aCampaign({ forgiven: failed });

  it('goes on', () => {
    expect(nextStep(resumed, failed, NOON).kind).toBe('start');
  });

  it('is not stopped before enough docks have ended since', () => {
    expect(nextStep(resumed, aTally({ done: 7, failed: 12 }), NOON).kind).toBe('start');
  });

  it('is stopped when too many docks have failed since', () => {
    expect(nextStep(resumed, aTally({ done: 14, failed: 6 }), NOON)).toMatchObject({ cause: 'too_many_failed' });
  });

  it('counts only what has failed since', () => {
    expect(nextStep(resumed, aTally({ done: 15, failed: 5 }), NOON).kind).toBe('start');
  });
});

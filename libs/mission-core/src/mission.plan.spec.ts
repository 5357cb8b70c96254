import { DAY_MS, MINUTE_MS, NOON } from './fixtures/missions.js';
import { planMission } from './mission.plan.js';
import { DEFAULT_TIMING } from './mission.types.js';

describe('a new mission', () => {
  it('is prepared at once when it is immediate', () => {
    expect(
      planMission({ approval: null, plannedDurationMs: 1, kind: 'immediate' }, NOON, DEFAULT_TIMING),
    ).toMatchObject({
      state: 'scheduled',
      prepareAtMs: NOON,
      nextActionAtMs: NOON,
      deadlineMs: NOON + 60_000,
    });
  });

  it('that is immediate starts within the time that it was planned with', () => {
    const timing = { ...DEFAULT_TIMING, startWithinMs: 8_000 };
    expect(planMission({ approval: null, plannedDurationMs: 1, kind: 'immediate' }, NOON, timing).deadlineMs).toBe(
      NOON + 8_000,
    );
  });

  it('that is immediate starts within five minutes, whatever the settings say', () => {
    const timing = { ...DEFAULT_TIMING, startWithinMs: DAY_MS };
    expect(planMission({ approval: null, plannedDurationMs: 1, kind: 'immediate' }, NOON, timing).deadlineMs).toBe(
      NOON + 5 * MINUTE_MS,
    );
  });

  it('that is conditional starts within its window', () => {
    const window = { readyFromMs: NOON, readyUntilMs: NOON + DAY_MS };
    const plan = { kind: 'conditional', plannedDurationMs: 1, approval: null, ...window } as const;
    expect(planMission(plan, NOON, DEFAULT_TIMING).deadlineMs).toBe(NOON + DAY_MS);
  });

  it('is prepared a quarter of an hour before its time', () => {
    const executeAtMs = NOON + 60 * MINUTE_MS;
    expect(
      planMission({ approval: null, plannedDurationMs: 1, kind: 'timed', executeAtMs }, NOON, DEFAULT_TIMING)
        .prepareAtMs,
    ).toBe(NOON + 45 * MINUTE_MS);
  });

  it('is prepared at once when its time is nearer than that', () => {
    expect(
      planMission(
        { approval: null, plannedDurationMs: 1, kind: 'timed', executeAtMs: NOON + MINUTE_MS },
        NOON,
        DEFAULT_TIMING,
      ).prepareAtMs,
    ).toBe(NOON);
  });

  it('is never delivered to the dock more than 24 hours before its time', () => {
    const timing = { ...DEFAULT_TIMING, prepareLeadMs: 3 * DAY_MS };
    const executeAtMs = NOON + 2 * DAY_MS;
    expect(
      planMission({ approval: null, plannedDurationMs: 1, kind: 'timed', executeAtMs }, NOON, timing).prepareAtMs,
    ).toBe(executeAtMs - DAY_MS);
  });

  it('may start until its start window has passed', () => {
    const executeAtMs = NOON + MINUTE_MS;
    expect(
      planMission({ approval: null, plannedDurationMs: 1, kind: 'timed', executeAtMs }, NOON, DEFAULT_TIMING)
        .deadlineMs,
    ).toBe(executeAtMs + 20_000);
  });
});

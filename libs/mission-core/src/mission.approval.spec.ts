import { MINUTE_MS, NOON, aMission, planned, step } from './fixtures/missions.js';
import { dueEvent } from './mission.due.js';
import { EVENT_TYPES, type Row, decide, transitions } from './mission.machine.js';
import { CLAIM_MARGIN_MS, DEFAULT_TIMING, type EventType, type Mission } from './mission.types.js';

const HOUR_MS = 60 * MINUTE_MS;
const APPROVED = { lifetimeMs: null, untilMs: NOON, givenEdition: 1 };
/** From these a prepare or an execute leaves. */
const TELL_A_DOCK: readonly string[] = ['scheduled', 'preparing', 'waiting_ready', 'prepared'];
const waiting = (lifetimeMs: number | null = null): Mission => planned('timed', 'prepare', { lifetimeMs });
const approved = (): Mission => step(waiting(), { type: 'approvalGiven' }, NOON);
const movedTo = (executeAtMs: number) => ({
  ...{ type: 'rescheduled' as const, executeAtMs, prepareAtMs: executeAtMs - 15 * MINUTE_MS },
  deadlineMs: executeAtMs + DEFAULT_TIMING.startWindowMs,
});

describe('a mission that awaits approval', () => {
  it('is looked at when its start window ends, and not before', () => {
    const mission = waiting();
    expect(mission).toMatchObject({ state: 'awaiting_approval', nextActionAtMs: mission.deadlineMs });
    expect(dueEvent(mission, (mission.deadlineMs ?? 0) - 1, DEFAULT_TIMING)).toBeNull();
  });

  it('is missed when its start window ends, because nobody approved it', () => {
    const mission = waiting();
    const endMs = mission.deadlineMs ?? NaN;
    const event = dueEvent(mission, endMs, DEFAULT_TIMING);
    if (event === null) throw new Error('nothing is due');
    const ended = step(mission, event, endMs);
    expect(ended).toMatchObject({ state: 'missed', cause: { code: 'approval_missing' }, nextActionAtMs: null });
  });

  it('is missed when its request expires, long before its time', () => {
    const mission = waiting(10 * MINUTE_MS);
    expect(mission.nextActionAtMs).toBe(NOON + 10 * MINUTE_MS);
    expect(dueEvent(mission, NOON + 10 * MINUTE_MS, DEFAULT_TIMING)).toEqual({ type: 'approvalMissing' });
  });

  it('is not approved any more once its request has expired', () => {
    const decision = decide(waiting(MINUTE_MS), { type: 'approvalGiven' }, NOON + MINUTE_MS, DEFAULT_TIMING);
    expect(decision).toEqual({ kind: 'refused', reason: 'the approval comes too late' });
  });

  it('is not approved any more when too little of its start window is left for a command', () => {
    const mission = waiting();
    const lastMs = (mission.deadlineMs ?? NaN) - CLAIM_MARGIN_MS;
    expect(decide(mission, { type: 'approvalGiven' }, lastMs - 1, DEFAULT_TIMING).kind).toBe('moved');
    expect(decide(mission, { type: 'approvalGiven' }, lastMs, DEFAULT_TIMING).kind).toBe('refused');
  });

  it('is prepared at once when it is approved after its dock should have been told', () => {
    const lateMs = NOON + 50 * MINUTE_MS;
    const mission = step(waiting(), { type: 'approvalGiven' }, lateMs);
    expect(mission).toMatchObject({ state: 'scheduled', prepareAtMs: lateMs, nextActionAtMs: lateMs });
    expect(dueEvent(mission, lateMs, DEFAULT_TIMING)).toEqual({ type: 'prepareDue' });
  });

  it('is canceled with the reason when it is refused', () => {
    const refused = step(waiting(), { type: 'approvalRefused' }, NOON);
    expect(refused).toMatchObject({ state: 'canceled', cause: { code: 'approval_refused' } });
  });

  it('is canceled without its dock being told', () => {
    const decision = decide(waiting(), { type: 'cancelRequested' }, NOON, DEFAULT_TIMING);
    expect(decision).toMatchObject({ kind: 'moved', mission: { state: 'canceled' }, effects: [] });
  });

  it('can have been started after the backup from which a database was restored', () => {
    const atMs = NOON + 2 * HOUR_MS;
    const restored = step(waiting(), { type: 'restored', stoppedAtMs: atMs }, atMs);
    expect(restored).toMatchObject({ state: 'outcome_unknown', cause: { code: 'restored' } });
  });

  it('is believed to fly when its dock says so', () => {
    expect(step(waiting(), { type: 'flightInProgress' }, NOON).state).toBe('executing');
  });
});

it('has one way out of awaiting approval to a state from which its dock is told', () => {
  const ways = EVENT_TYPES.filter((type) =>
    (transitions[type] as readonly Row<EventType>[]).some(({ from, to }) => {
      const leadsTo = typeof to === 'string' ? [to] : to.oneOf;
      return from.includes('awaiting_approval') && leadsTo.some((state) => TELL_A_DOCK.includes(state));
    }),
  );
  expect(ways).toEqual(['approvalGiven']);
});

it('is not given to its dock again when it was started without an approval, and the dock has forgotten it', () => {
  const mission = aMission({ state: 'starting', startedAtMs: NOON, approval: { ...APPROVED, givenEdition: null } });
  const event = { type: 'executeUnprepared', attempt: mission.attempt, dockResult: 319_015 } as const;
  expect(decide(mission, event, NOON, DEFAULT_TIMING)).toMatchObject({ mission: { state: 'rejected' }, effects: [] });
  const approved = { ...mission, approval: APPROVED };
  expect(decide(approved, event, NOON, DEFAULT_TIMING)).toMatchObject({ effects: ['sendPrepare'] });
});

describe('an approval', () => {
  it('falls when the mission is moved to another time, and the new request has a lifetime of its own', () => {
    const mission = step(planned('timed', 'prepare', { lifetimeMs: MINUTE_MS }), { type: 'approvalGiven' }, NOON);
    const moved = step(mission, movedTo(NOON + 3 * HOUR_MS), NOON + 30 * MINUTE_MS);
    const untilMs = NOON + 31 * MINUTE_MS;
    expect(moved).toMatchObject({ state: 'awaiting_approval', approval: { givenEdition: null, untilMs } });
    expect(moved.nextActionAtMs).toBe(untilMs);
  });

  it('falls with the task of a dock that holds the mission, however soon the new time is', () => {
    const held: Mission = { ...approved(), state: 'prepared' };
    const decision = decide(held, movedTo(NOON + HOUR_MS + MINUTE_MS), NOON + 50 * MINUTE_MS, DEFAULT_TIMING);
    expect(decision).toMatchObject({ mission: { state: 'awaiting_approval' }, effects: ['sendUndo'] });
  });

  it('can be given again after a change', () => {
    const moved = step(approved(), movedTo(NOON + 3 * HOUR_MS), NOON);
    expect(step(moved, { type: 'approvalGiven' }, NOON)).toMatchObject({
      state: 'scheduled',
      approval: { givenEdition: 2 },
    });
  });

  it('of an earlier plan lets nothing leave', () => {
    const approval = { lifetimeMs: null, untilMs: NOON, givenEdition: 1 };
    const mission = aMission({ edition: 2, approval });
    expect(decide(mission, { type: 'executeDue' }, NOON, DEFAULT_TIMING).kind).toBe('refused');
    expect(decide({ ...mission, edition: 1 }, { type: 'executeDue' }, NOON, DEFAULT_TIMING).kind).toBe('moved');
  });

  it('is not asked of a mission that needs none', () => {
    expect(decide(planned('timed'), { type: 'approvalGiven' }, NOON, DEFAULT_TIMING).kind).toBe('refused');
    expect(step(planned('timed'), movedTo(NOON + 3 * HOUR_MS), NOON).state).toBe('scheduled');
  });
});

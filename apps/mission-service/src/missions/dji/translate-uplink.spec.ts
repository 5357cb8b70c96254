import type { DockFact } from '@aerie/bus-contract';
import { eventOfReply, readProgress, resultOf } from './translate-uplink.js';

const MISSION = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';

const progress = (status: string, more: { flightId?: string; bid?: string; result?: number } = {}): DockFact =>
  ({
    bid: more.bid ?? null,
    receivedAtMs: 1_800_000_000_000,
    data: {
      result: more.result ?? 0,
      output: {
        status,
        progress: { percent: 90, current_step: 27 },
        ext: { media_count: 4, ...(more.flightId === undefined ? {} : { flight_id: more.flightId }) },
      },
    },
  }) as unknown as DockFact;

const call = (method: string, attempt = 0) => ({ method, attempt, edition: 2 });
const replyToStart = (result: number, fliesOther = false, method = 'flighttask_execute') =>
  eventOfReply(call(method, 1), result, fliesOther);

describe.each(['flighttask_execute', 'flighttask_create'])('a reply to %s', (method) => {
  it.each([0, 321_257])('with %d says that the dock flies it', (result) => {
    expect(replyToStart(result, false, method)).toEqual({ type: 'executeAccepted' });
  });

  it('with the weather as its reason proves that it did not start', () => {
    const event = replyToStart(514_134, false, method);
    expect(event).toEqual({ type: 'executeDeferred', attempt: 1, dockResult: 514_134 });
  });

  it('with any other code is a refusal', () => {
    const event = replyToStart(514_120, false, method);
    expect(event).toMatchObject({ type: expect.stringMatching(/execute(Refused|Deferred)/) });
    expect(replyToStart(314_005, false, method)).toEqual({ type: 'executeRefused', attempt: 1, dockResult: 314_005 });
  });
});

describe('DK13: a reply to execute that says busy with a mission', () => {
  const busy = [319_001, 319_016, 319_025, 514_148];

  it.each(busy)('with %d moves nothing, because a dock that flies this very mission says it too', (result) => {
    expect(replyToStart(result)).toBeNull();
  });

  it.each(busy)('with %d is a reason to try again while the dock names another flight', (result) => {
    expect(replyToStart(result, true)).toEqual({ type: 'executeDeferred', attempt: 1, dockResult: result });
  });

  it('means this flight when the code says that it already runs', () => {
    expect(replyToStart(321_257, true)).toEqual({ type: 'executeAccepted' });
  });
});

it.each([319_003, 321_001, 321_259])('DK2: takes %d to execute for a dock that does not know the flight', (result) => {
  expect(replyToStart(result)).toEqual({ type: 'executeUnprepared', attempt: 1, dockResult: result });
});

it.each([0, 319_003])('takes %d to an undo for a dock that has forgotten the flight', (result) => {
  expect(eventOfReply(call('flighttask_undo'), result, false)).toEqual({ type: 'undoAccepted' });
});

it('looks at a dock that cannot forget a flight, because it may be flying it', () => {
  const event = eventOfReply(call('flighttask_undo'), 319_006, false);
  expect(event).toEqual({ type: 'undoRefused', dockResult: 319_006 });
});

it('asks a dock that is busy again when it refused to prepare', () => {
  const event = eventOfReply(call('flighttask_prepare'), 319_001, false);
  expect(event).toEqual({ type: 'prepareDeferred', edition: 2, dockResult: 319_001 });
});

it('says of which plan an accepted prepare was', () => {
  expect(eventOfReply(call('flighttask_prepare'), 0, false)).toEqual({ type: 'prepareAccepted', edition: 2 });
});

it.each(['flighttask_pause', 'flighttask_recovery', 'return_home', 'flighttask_stop'])(
  'moves nothing by the reply to %s: the flight itself shows what came of it',
  (method) => {
    expect(eventOfReply(call(method), 0, false)).toBeNull();
    expect(eventOfReply(call(method), 319_020, false)).toBeNull();
  },
);

it.each([
  ['ok', 'succeeded'],
  ['partially_done', 'partially_done'],
  ['failed', 'failed'],
  ['rejected', 'rejected'],
  ['canceled', 'canceled'],
  ['timeout', 'timed_out'],
])('takes %s for the end of a flight', (status, outcome) => {
  const told = readProgress(progress(status, { flightId: MISSION, result: 7 }));
  expect(told?.event).toEqual({ type: 'flightEnded', outcome, dockResult: 7 });
});

it('keeps a status word that nobody documents, and moves nothing by it', () => {
  const told = readProgress(progress('contemplating', { flightId: MISSION }));
  expect(told).toMatchObject({ missionId: MISSION, event: null, progress: { status: 'contemplating' } });
});

it('finds the mission of old firmware by the bid', () => {
  expect(readProgress(progress('in_progress', { bid: MISSION }))?.missionId).toBe(MISSION);
});

it('names no mission when the dock names none of ours', () => {
  expect(readProgress(progress('in_progress', { flightId: 'flown-by-hand' }))).toBeNull();
});

it('counts media only when the flight has ended', () => {
  expect(readProgress(progress('in_progress', { flightId: MISSION }))?.progress.mediaCount).toBeNull();
  expect(readProgress(progress('ok', { flightId: MISSION }))?.progress.mediaCount).toBe(4);
});

it('brings an absurd result into the range of its column', () => {
  expect(resultOf({ data: { result: 9_007_199_254_740_991 } } as unknown as DockFact)).toBe(2_147_483_647);
});

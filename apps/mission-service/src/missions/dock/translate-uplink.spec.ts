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

describe('a reply to execute', () => {
  it.each([0, 321_257])('with %d says that the dock flies it', (result) => {
    expect(eventOfReply('flighttask_execute', result, 1)).toEqual({ type: 'executeAccepted' });
  });

  it.each([319_001, 319_016, 319_025, 514_148])(
    'with %d moves nothing, because a dock that flies this very mission says it too',
    (result) => {
      expect(eventOfReply('flighttask_execute', result, 1)).toBeNull();
    },
  );

  it('with the weather as its reason proves that it did not start', () => {
    const event = eventOfReply('flighttask_execute', 514_134, 2);
    expect(event).toEqual({ type: 'executeDeferred', attempt: 2, dockResult: 514_134 });
  });

  it('with any other code is a refusal', () => {
    const event = eventOfReply('flighttask_execute', 319_003, 1);
    expect(event).toEqual({ type: 'executeRefused', attempt: 1, dockResult: 319_003 });
  });
});

it('asks a dock that is busy again when it refused to prepare', () => {
  expect(eventOfReply('flighttask_prepare', 319_001, 0)).toEqual({ type: 'prepareDeferred', dockResult: 319_001 });
});

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

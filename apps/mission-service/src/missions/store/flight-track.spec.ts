import { type TrackRow, pointsOf } from './flight-track.js';

const FIRST_MS = 1_795_988_563_385;
const PIECE = 24;

/** A piece of the track with two dozen reports, a second apart. */
function aPiece(number: number): TrackRow {
  const atMs = (report: number) => FIRST_MS + (number * PIECE + report) * 1_000;
  const lines = Array.from({ length: PIECE }, (_, report) => `abcdef ${atMs(report)} - 40 24 3 -`);
  const reports = lines.join('\n');
  const received_at = new Date(atMs(PIECE - 1));
  const numbers = { percent: 40, current_step: 24, waypoint_index: 3, media_count: null };
  return { attempt: 1, received_at, status: 'in_progress', ...numbers, reports };
}

it('reads no further than the reports that are asked for: each row holds many of them', () => {
  let read = 0;
  function* rows(): Generator<TrackRow> {
    for (; read < 1_000; read++) yield aPiece(read);
  }
  const points = pointsOf(rows(), 100);
  expect(points.map(({ receivedAtMs }) => receivedAtMs)).toEqual(
    Array.from({ length: 100 }, (_, report) => FIRST_MS + report * 1_000),
  );
  expect(read).toBeLessThan(10);
});

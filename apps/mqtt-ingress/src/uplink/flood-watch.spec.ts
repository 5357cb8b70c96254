import type { DockFlood } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { FloodWatch } from './flood-watch.js';

const SECOND_MS = 1_000;
const AFTER_MS = 60 * SECOND_MS;

let said: (DockFlood & { readonly subject: string })[];
let watch: FloodWatch;
let nowMs: number;
beforeEach(() => {
  said = [];
  nowMs = Date.UTC(2030, 0, 1);
  const publish = (subject: string, text: unknown): void => {
    said.push({ subject, ...(JSON.parse(String(text)) as DockFlood) });
  };
  watch = new FloodWatch({ ingressId: 'one', afterMs: AFTER_MS }, { publish }, createLogger('flood-spec', 'silent'));
});

interface Second {
  readonly within?: number;
  readonly over?: number;
  readonly bytesWithin?: number;
  readonly bytesOver?: number;
  readonly sn?: string;
}

/** What a device sends in each of so many seconds. */
function sends(seconds: number, { within = 0, over = 0, bytesWithin = 100, bytesOver = 100, sn = 'D' }: Second): void {
  for (let second = 0; second < seconds; second++) {
    for (let message = 0; message < within; message++) watch.note(sn, bytesWithin, false, nowMs);
    for (let message = 0; message < over; message++) watch.note(sn, bytesOver, true, nowMs);
    nowMs += SECOND_MS;
  }
}

it('a device that was far over its budget for a minute on end floods, which is said each ten seconds while it lasts', () => {
  const startedMs = nowMs;
  sends(60, { within: 10, over: 190 });
  expect(said).toEqual([]);
  sends(1, { within: 10, over: 190 });
  expect(said).toMatchObject([
    { subject: 'flood.v1.D', sn: 'D', ingressId: 'one', sinceMs: startedMs, atMs: startedMs + AFTER_MS },
  ]);
  expect(Math.round(said[0]?.messagesPerSecond ?? 0)).toBe(200);
  expect(Math.round((said[0]?.bytesPerSecond ?? 0) / 100)).toBe(200);
  sends(20, { within: 10, over: 190 });
  expect(said).toHaveLength(3);
});

it.each<[string, Second]>([
  ['a little over its budget', { within: 100, over: 99 }],
  ['over it with few bytes', { within: 100, over: 50, bytesOver: 10 }],
  ['within it', { within: 100 }],
])('a device that is %s never floods', (_what, second) => {
  sends(300, second);
  expect(said).toEqual([]);
});

it('a device floods by its bytes alone, too', () => {
  sends(61, { within: 100, over: 5, bytesOver: 10_000 });
  expect(said).toHaveLength(1);
});

it.each<[string, () => void]>([
  ['pauses', () => (nowMs += 3 * SECOND_MS)],
  ['is within its budget for a second', () => sends(1, { within: 10 })],
])('a device that %s begins anew', (_what, meanwhile) => {
  sends(59, { within: 10, over: 190 });
  meanwhile();
  sends(60, { within: 10, over: 190 });
  expect(said).toEqual([]);
  sends(1, { within: 10, over: 190 });
  expect(said).toHaveLength(1);
});

it('devices are judged each by itself', () => {
  for (let second = 0; second < 61; second++) {
    const startedMs = nowMs;
    sends(1, { within: 10, over: 190, sn: 'FLOODS' });
    nowMs = startedMs;
    sends(1, { within: 10, over: 1, sn: 'BUSY' });
  }
  expect(said.map(({ sn }) => sn)).toEqual(['FLOODS']);
});

it('nothing is said under a name that is no serial number', () => {
  sends(70, { over: 200, sn: '*' });
  expect(said).toEqual([]);
});

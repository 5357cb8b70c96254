import { RUNS, expectEqual } from '@aerie/property-testing';
import fc from 'fast-check';
import { decodeMessage, type DecodedMessage, type RefusedMessage, type WireMessage } from './decode.js';
import { repliesTo, requestsOf } from './fixtures/arbitraries.js';
import { EXAMPLES } from './fixtures/examples.js';
import { DOCK_SN, RECEIVED_AT_MS } from './fixtures/messages.js';
import { METHODS } from './methods.js';
import { CHANNELS, replyChannelOf, topicFor, type Channel } from './topics.js';

// Goal: whatever a device sends, one message harms nothing but itself.
// Method: valid messages are damaged in the ways that documents and devices damage them, and in any other way.

/** Only there, where nothing else runs beside it: a figure is no test on a machine that is busy. */
const IS_DEEP = process.env['AERIE_DEEP_RUNS'] !== undefined;
const MOST_CPU_MS = 5;
/** What took longer, maybe because the engine compiled or collected meanwhile, is read so often again, and the least counts. */
const READ_AGAIN = 20;

/** Read or refused with a reason: there is no third outcome, and nothing is thrown. Who speaks is whose topic it is. */
function expectVerdict(message: WireMessage): DecodedMessage | RefusedMessage {
  const began = process.cpuUsage();
  const verdict = decodeMessage(message);
  if (verdict.accepted) expectEqual(typeof verdict.data, 'object');
  else expectEqual(verdict.reason === '', false);
  const named = message.topic.split('/')[2];
  if (verdict.accepted || verdict.sn !== undefined) expectEqual(verdict.sn, named);
  if (IS_DEEP && cpuMsSince(began) > MOST_CPU_MS) expect(leastCpuMs(message)).toBeLessThanOrEqual(MOST_CPU_MS);
  return verdict;
}

function cpuMsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

const leastCpuMs = (message: WireMessage): number =>
  Math.min(
    ...Array.from({ length: READ_AGAIN }, () => {
      const began = process.cpuUsage();
      decodeMessage(message);
      return cpuMsSince(began);
    }),
  );

const onAnyChannel = fc.constantFrom(...CHANNELS);
const anyMethod = fc.oneof(fc.constantFrom(...METHODS.map(({ method }) => method)), fc.string(), fc.jsonValue());
const anything = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1.5,
    '0',
    '65535',
    'true',
    true,
    [],
    {},
    [null],
    Number.MAX_VALUE,
    '\u0000',
  ),
  fc.jsonValue(),
);

/** Every spelling of the time that was seen or printed (quirks E1, E2, E3, E21), and some that were not. */
const stamps = fc.oneof(
  fc.constantFrom<Record<string, unknown>>(
    { timestamp: RECEIVED_AT_MS },
    { timestamp: String(RECEIVED_AT_MS) },
    { 'timestamp:': RECEIVED_AT_MS },
    { 'timestamp:': 'soon', timestamp: 0 },
    { timestamp: 12_345_678_901_234 },
    {},
  ),
  anything.map((timestamp) => ({ timestamp })),
  anything.map((timestamp) => ({ 'timestamp:': timestamp })),
);

type Damage = 'replaced' | 'removed' | 'as text' | 'misspelt';
interface Blow {
  readonly damage: Damage;
  /** Picks the place: the remainder by the number of places. */
  readonly place: number;
  readonly by: unknown;
}
const blows = fc.array(
  fc.record({
    damage: fc.constantFrom<Damage>('replaced', 'removed', 'as text', 'misspelt'),
    place: fc.nat(),
    by: anything,
  }),
  { maxLength: 4 },
);

/** Every object or list of a tree with one of its keys. */
function placesOf(tree: unknown): [holder: Record<string, unknown>, key: string][] {
  if (typeof tree !== 'object' || tree === null) return [];
  const holder = tree as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [[holder, key] as [typeof holder, string], ...placesOf(holder[key])]);
}

function damaged(message: unknown, hits: readonly Blow[]): object {
  const copy = JSON.parse(JSON.stringify(message)) as object;
  for (const { damage, place, by } of hits) {
    const places = placesOf(copy);
    const hit = places[place % Math.max(places.length, 1)];
    if (hit === undefined) continue;
    const [holder, key] = hit;
    const value = holder[key];
    // A copy, because the next blow may hit what this one put in.
    if (damage === 'replaced') holder[key] = structuredClone(by);
    else if (damage === 'as text') holder[key] = JSON.stringify(value);
    else Reflect.deleteProperty(holder, key);
    // Keys are printed without a letter, e.g. `prgress` and `end_ime`.
    if (damage === 'misspelt' && !Array.isArray(holder)) holder[key.slice(0, 1) + key.slice(2)] = value;
  }
  return copy;
}

/** Each message once as what it starts and once as its answer. */
const KNOWN = METHODS.flatMap(
  ({ channel, method }): { channel: Channel; method: string; data: fc.Arbitrary<unknown> }[] => [
    { channel, method, data: requestsOf(channel, method) },
    { channel: replyChannelOf(channel) ?? channel, method, data: repliesTo(channel, method) },
  ],
);

describe('DK12: garbage is read or refused with a reason, and never throws', () => {
  it.each(KNOWN)('in the data of $method on $channel', ({ channel, method, data }) => {
    fc.assert(
      fc.property(data, stamps, blows, (valid, stamp, hits) => {
        const payload = { tid: 't', bid: 'b', ...stamp, method, data: damaged({ data: valid }, hits) };
        expectVerdict({ topic: topicFor(channel, DOCK_SN), payload: { ...payload, ...payload.data } });
      }),
      RUNS,
    );
  });

  it.each(EXAMPLES)('in the example of $method of the page on $page', ({ topic, message }) => {
    fc.assert(
      fc.property(blows, (hits) => {
        expectVerdict({
          topic,
          payload: damaged(message, hits),
          allowPlaceholders: true,
          receivedAtMs: RECEIVED_AT_MS,
        });
      }),
      { numRuns: Math.ceil(RUNS.numRuns / 10) },
    );
  });

  it('under any method and with any members around it', () => {
    const body = fc.record(
      { tid: anything, bid: anything, method: anyMethod, need_reply: anything, gateway: anything, data: anything },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(onAnyChannel, body, stamps, (channel, members, stamp) => {
        expectVerdict({ topic: topicFor(channel, DOCK_SN), payload: { ...members, ...stamp } });
      }),
      RUNS,
    );
  });

  it.each(KNOWN)('where $method on $channel has no data at all (E9)', ({ channel, method }) => {
    for (const data of [null, '', undefined, {}, [], 0, 'x']) {
      expectVerdict({ topic: topicFor(channel, DOCK_SN), payload: { tid: 't', bid: 'b', method, data } });
    }
  });
});

/** With so many of each thing that it lists. */
const grown = (tree: unknown, count: number): unknown => {
  if (Array.isArray(tree))
    return tree.length === 0 ? tree : Array.from({ length: count }, (_, index) => grown(tree[index % tree.length], 2));
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, member]) => [key, grown(member, count)]));
};

describe('N18: lists that fill a message', () => {
  it.each(KNOWN)('cost no more than others in $method on $channel', ({ channel, method, data }) => {
    fc.assert(
      fc.property(data, fc.integer({ min: 1, max: 4_000 }), (valid, count) => {
        const payload = JSON.stringify({ tid: 't', bid: 'b', method, data: grown(valid, count) });
        expectVerdict({ topic: topicFor(channel, DOCK_SN), payload: Buffer.from(payload) });
      }),
      { numRuns: Math.ceil(RUNS.numRuns / 100) },
    );
  });

  it.each([
    ['update_topo', 'status', { type: 119, sub_type: 0, sub_devices: Array(101).fill({ sn: 'A' }) }],
    ['flighttask_ready', 'events', { flight_ids: Array(1_001).fill('a') }],
    ['hms', 'events', { list: Array(201).fill({ code: '0x1' }) }],
    ['airport_organization_bind', 'requests', { bind_devices: Array(101).fill({ sn: 'A' }) }],
  ] as const)('are counted before they are read: %s', (method, channel, data) => {
    const verdict = expectVerdict({
      topic: topicFor(channel, DOCK_SN),
      payload: { tid: 't', bid: 'b', timestamp: RECEIVED_AT_MS, method, data },
    });
    expect(verdict).toMatchObject({
      accepted: false,
      reason: expect.stringMatching(/ has \d+ items, at most \d+ are read$/),
    });
  });
});

describe('DK12: the time of a message', () => {
  const read = (stamp: object): DecodedMessage | RefusedMessage => {
    const payload = { tid: 't', bid: 'b', method: 'flighttask_ready', data: { flight_ids: [] }, ...stamp };
    return expectVerdict({ topic: topicFor('events', DOCK_SN), payload, receivedAtMs: RECEIVED_AT_MS + 5 });
  };

  it.each([{ timestamp: String(RECEIVED_AT_MS) }, { 'timestamp:': RECEIVED_AT_MS }, { timestamp: RECEIVED_AT_MS }])(
    'is read from %j (E1, E2)',
    (stamp) => {
      expect(read(stamp)).toMatchObject({ timestampMs: RECEIVED_AT_MS });
    },
  );

  it('is the time of receipt where it cannot be read, so that no message is lost by its clock', () => {
    fc.assert(
      fc.property(anything, (timestamp) => {
        const verdict = read({ timestamp });
        // A payload that no table can hold is refused before anybody looks at its time.
        if (verdict.accepted) expect(verdict.timestampMs).toEqual(expect.any(Number));
        else expect(verdict.reason).toMatch(/^payload /);
      }),
      RUNS,
    );
  });
});

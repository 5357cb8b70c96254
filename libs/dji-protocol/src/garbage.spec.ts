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

/** Read or refused with a reason: there is no third outcome, and nothing is thrown. */
function expectVerdict(message: WireMessage): DecodedMessage | RefusedMessage {
  const verdict = decodeMessage(message);
  if (verdict.accepted) expectEqual(typeof verdict.data, 'object');
  else expectEqual(verdict.reason === '', false);
  return verdict;
}

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

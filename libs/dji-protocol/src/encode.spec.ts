import { InvalidError } from '@aerie/kernel';
import fc from 'fast-check';
import { DOCK_MODELS, GENERATIONS, speaks } from './dock-profile.js';
import { composeEnvelope, encodeReply, encodeService } from './encode.js';
import { accepted, aMessage, allProfiles, dataOf } from './fixtures/messages.js';
import { METHODS } from './methods.js';
import { replyChannelOf, type ReplyChannel } from './topics.js';
import type { ServiceData, ServiceMethod } from './wire-data.js';

const flightIds = fc.uuid();
const md5 = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });
const urls = fc.webUrl({ withQueryParameters: true });
const instants = fc.integer({ min: 1_000_000_000_000, max: 9_000_000_000_000 });
const bits = fc.constantFrom(0, 1);
const degrees = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true }).map((value) => value + 0);

const prepares = fc.record({
  flight_id: flightIds,
  task_type: fc.constantFrom(0, 1),
  execute_time: instants,
  file: fc.record({ url: urls, fingerprint: md5 }),
  ready_conditions: fc
    .tuple(fc.integer({ min: 0, max: 100 }), instants)
    .map(([battery_capacity, begin_time]) => ({ battery_capacity, begin_time, end_time: begin_time + 1 })),
  executable_conditions: fc.record({ storage_capacity: fc.nat() }),
  break_point: fc.record({
    index: fc.integer({ min: 0, max: 65533 }),
    state: bits,
    progress: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
    wayline_id: fc.integer({ min: 0, max: 65533 }),
  }),
  rth_altitude: fc.integer({ min: 20, max: 1500 }),
  rth_mode: bits,
  out_of_control_action: fc.constantFrom(0, 1, 2),
  exit_wayline_when_rc_lost: bits,
  wayline_precision_type: bits,
  simulate_mission: fc.record({
    is_enable: bits,
    latitude: degrees(90),
    longitude: degrees(180),
    altitude: degrees(9999),
  }),
  flight_safety_advance_check: bits,
});

/** Data for each command. Values that JSON cannot tell apart, such as -0, are kept out. */
const COMMANDS: { readonly [M in ServiceMethod]: fc.Arbitrary<ServiceData[M]> } = {
  flighttask_create: fc.record({
    flight_id: flightIds,
    type: fc.constant('wayline'),
    file: fc.record({ url: urls, sign: md5 }),
  }),
  flighttask_prepare: prepares,
  flighttask_execute: fc.record({ flight_id: flightIds }),
  flighttask_undo: fc.record({ flight_ids: fc.array(flightIds, { minLength: 1, maxLength: 5 }) }),
  flighttask_pause: fc.constant({}),
  flighttask_recovery: fc.constant({}),
  return_home: fc.constant({}),
  return_home_cancel: fc.constant({}),
};

const CASES = METHODS.filter(({ channel }) => channel === 'services').flatMap(({ method, since }) =>
  allProfiles(DOCK_MODELS, GENERATIONS).map((profile) => ({
    method: method as ServiceMethod,
    exists: speaks(profile, since),
    name: `${profile.model} ${profile.generation}`,
    profile: profile,
  })),
);

/** The members of what was written, as they were given; `flight_id` is the second name of an undo (quirk M9). */
function expectPart(written: unknown, given: unknown): void {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return expect(written).toEqual(given);
  for (const [key, value] of Object.entries(written)) expectPart(value, (given as Record<string, unknown>)[key]);
}

describe('encodeService', () => {
  it.each(CASES.filter(({ exists }) => exists))(
    'writes $method for $name so that it is read back',
    ({ method, profile }) => {
      fc.assert(
        fc.property(COMMANDS[method] as fc.Arbitrary<never>, (given) => {
          const written = encodeService(method, given, profile);
          const { flight_id: _second, ...undo } = written;
          const expected = method === 'flighttask_undo' ? undo : written;
          expect(dataOf('services', method, JSON.parse(JSON.stringify(written)))).toEqual(expected);
          const { wayline_type: _fixed, ...fromCaller } = expected;
          expectPart(fromCaller, given);
        }),
        { numRuns: 20 },
      );
    },
  );

  it.each(CASES.filter(({ exists }) => !exists))('refuses $method for $name', ({ method, profile }) => {
    fc.assert(
      fc.property(COMMANDS[method] as fc.Arbitrary<never>, (given) => {
        expect(() => encodeService(method, given, profile)).toThrow(InvalidError);
      }),
      { numRuns: 1 },
    );
  });

  it.each(CASES.filter(({ profile }) => profile.model === 'dock3' && profile.generation === '1.15'))(
    'gives back all of $method for the newest dock',
    ({ method, profile }) => {
      fc.assert(
        fc.property(COMMANDS[method] as fc.Arbitrary<never>, (given) => {
          expect(dataOf('services', method, encodeService(method, given, profile))).toEqual(given);
        }),
        { numRuns: 50 },
      );
    },
  );

  it('refuses a command that nobody knows', () => {
    expect(() => encodeService('fly_upside_down' as ServiceMethod, {}, { model: 'dock1' })).toThrow(InvalidError);
  });

  it('leaves out what no dock knows', () => {
    const data = { flight_id: 'a', colour: 'red' };
    expect(encodeService('flighttask_execute', data, { model: 'dock1' })).toEqual({ flight_id: 'a' });
  });

  it('throws nothing but InvalidError on any data', () => {
    const methods = fc.constantFrom(...(Object.keys(COMMANDS) as ServiceMethod[]));
    fc.assert(
      fc.property(methods, fc.jsonValue(), (method, data) => {
        try {
          encodeService(method, data as never, { model: 'dock3' });
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidError);
        }
      }),
    );
  });
});

describe('encodeReply', () => {
  it.each(METHODS.filter(({ method }) => method !== 'config'))(
    'writes a refusal of $method that is read back',
    ({ channel, method }) => {
      const reply = replyChannelOf(channel) as ReplyChannel;
      const written = encodeReply(reply, method as 'unlisted', { result: 319001 });
      expect(dataOf(reply, method, written)).toEqual({ result: 319001 });
    },
  );

  it('writes the answer to an event that nobody knows', () => {
    expect(encodeReply('events_reply', 'unheard_of', { result: 0 })).toEqual({ result: 0 });
  });

  it('refuses an answer without a result', () => {
    expect(() => encodeReply('events_reply', 'flighttask_progress', {} as never)).toThrow(InvalidError);
  });
});

describe('composeEnvelope', () => {
  const parts = { tid: 't', bid: 'b', timestampMs: 1_760_000_000_000, method: 'flighttask_pause', data: {} };

  it('orders the keys as they are printed', () => {
    expect(JSON.stringify(composeEnvelope(parts))).toBe(
      '{"tid":"t","bid":"b","timestamp":1760000000000,"method":"flighttask_pause","data":{}}',
    );
  });

  it('leaves out a method that the channel does not have', () => {
    expect(composeEnvelope({ ...parts, method: null })).not.toHaveProperty('method');
  });

  it('makes what is read back', () => {
    const message = accepted({ topic: aMessage('services').topic, payload: composeEnvelope(parts) });
    expect(message).toMatchObject({ tid: 't', bid: 'b', timestampMs: parts.timestampMs, method: parts.method });
  });
});

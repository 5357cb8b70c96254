import { InvalidError } from '@aerie/kernel';
import fc from 'fast-check';
import { DOCK_MODELS, GENERATIONS, speaks } from './dock-profile.js';
import { composeEnvelope, encodeReply, encodeService } from './encode.js';
import { requestsOf } from './fixtures/arbitraries.js';
import { accepted, aMessage, allProfiles, dataOf } from './fixtures/messages.js';
import { METHODS } from './methods.js';
import { replyChannelOf, type ReplyChannel } from './topics.js';
import type { ServiceMethod } from './wire-data.js';

const CASES = METHODS.filter(({ channel }) => channel === 'services').flatMap(({ method, since, models }) =>
  allProfiles(DOCK_MODELS, GENERATIONS).map((profile) => ({
    method: method as ServiceMethod,
    exists: models.includes(profile.model) && speaks(profile, since),
    name: `${profile.model} ${profile.generation}`,
    profile: profile,
  })),
);

describe('encodeService', () => {
  it.each(CASES.filter(({ exists }) => !exists))('refuses $method for $name', ({ method, profile }) => {
    fc.assert(
      fc.property(requestsOf('services', method) as fc.Arbitrary<never>, (given) => {
        expect(() => encodeService(method, given, profile)).toThrow(InvalidError);
      }),
      { numRuns: 1 },
    );
  });

  it.each(CASES.filter(({ profile, exists }) => exists && profile.model === 'dock3' && profile.generation === '1.15'))(
    'gives back all of $method for the newest dock',
    ({ method, profile }) => {
      fc.assert(
        fc.property(requestsOf('services', method) as fc.Arbitrary<never>, (given) => {
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
    const methods = fc.constantFrom(...CASES.map(({ method }) => method));
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

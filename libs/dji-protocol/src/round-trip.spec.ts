import { RUNS, expectEqual } from '@aerie/property-testing';
import fc from 'fast-check';
import { decodeMessage } from './decode.js';
import { DOCK_MODELS, GENERATIONS, speaks, type DockProfile } from './dock-profile.js';
import { encodeReply, encodeService } from './encode.js';
import { repliesTo, requestsOf } from './fixtures/arbitraries.js';
import { EXAMPLES } from './fixtures/examples.js';
import { accepted, aMessage, dataOf } from './fixtures/messages.js';
import { METHODS } from './methods.js';
import { replyChannelOf, type Channel, type ReplyChannel } from './topics.js';
import type { ServiceMethod } from './wire-data.js';

// Goal: what we write is what a reader of the protocol understands, and what we normalised stays as it is.
// Method: valid data of every message, in its newest form, go through the encoder, through JSON and back.

/** The data as the other side reads them: through the text of a whole message. */
const readBack = (channel: Channel, method: string, data: unknown): Record<string, unknown> => {
  const { topic, payload } = aMessage(channel, { method, data });
  return accepted({ topic, payload: JSON.stringify(payload) }).data as Record<string, unknown>;
};

/** The members of what was written, as they were given. */
function expectPart(written: unknown, given: unknown): void {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return expectEqual(written, given);
  for (const [key, value] of Object.entries(written)) expectPart(value, (given as Record<string, unknown>)[key]);
}

/** Each command with each model that has it, and the generations that know it. */
const COMMANDS = METHODS.filter(({ channel }) => channel === 'services').flatMap(({ method, since, models }) =>
  models.map((model) => ({
    method: method as ServiceMethod,
    model,
    generations: GENERATIONS.filter((generation) => speaks({ model, generation }, since)),
  })),
);
const UPLINKS = METHODS.filter(({ channel }) => channel !== 'services');

/** What reading leaves of a written command: the second name of an undo (quirk M9) is gone. */
function normalised(method: ServiceMethod, written: Record<string, unknown>): Record<string, unknown> {
  if (method !== 'flighttask_undo') return written;
  const { flight_id: _second, ...rest } = written;
  return rest;
}

function expectRoundTrip(method: ServiceMethod, profile: DockProfile, given: unknown): void {
  const written = encodeService(method, given as never, profile);
  const read = normalised(method, written);
  expectEqual(readBack('services', method, written), read);
  // Quirk M6: docks up to 1.7 are sent a wayline type that no caller gives.
  const { wayline_type: _fixed, ...fromCaller } = read;
  expectPart(fromCaller, given);
}

describe('P8: what is written is read back', () => {
  it.each(COMMANDS)('as it was given, for $method to $model of any generation', ({ method, model, generations }) => {
    fc.assert(
      fc.property(fc.constantFrom(...generations), requestsOf('services', method), (generation, given) =>
        expectRoundTrip(method, { model, generation }, given),
      ),
      RUNS,
    );
  });

  it.each(DOCK_MODELS)('as it was given, for a conditional flighttask_prepare to %s since 1.3.2', (model) => {
    const generations = GENERATIONS.filter((generation) => speaks({ model, generation }, '1.3.2'));
    fc.assert(
      fc.property(
        fc.constantFrom(...generations),
        requestsOf('services', 'flighttask_prepare') as fc.Arbitrary<object>,
        (generation, given) => expectRoundTrip('flighttask_prepare', { model, generation }, { ...given, task_type: 2 }),
      ),
      RUNS,
    );
  });

  it.each(METHODS)('as it was given, for the reply to $method on $channel', ({ channel, method }) => {
    const reply = replyChannelOf(channel) as ReplyChannel;
    fc.assert(
      fc.property(repliesTo(channel, method), (given) => {
        const written = encodeReply(reply, method as 'unlisted', given as never);
        expectEqual(written, given);
        expectEqual(readBack(reply, method, written), given);
      }),
      RUNS,
    );
  });

  it.each(UPLINKS)(
    'unchanged where it is in its newest form already, for $method on $channel',
    ({ channel, method }) => {
      fc.assert(
        fc.property(requestsOf(channel, method), (given) => {
          expectEqual(readBack(channel, method, given), given);
        }),
        RUNS,
      );
    },
  );
});

describe('P8: the printed examples', () => {
  it.each(EXAMPLES)('are never refused: $method of the page on $page', ({ topic, message }) => {
    expect(decodeMessage({ topic, payload: message, allowPlaceholders: true })).toMatchObject({ accepted: true });
  });

  it.each(EXAMPLES)('are read into a form that stays: $method of the page on $page', ({ topic, message }) => {
    const once = accepted({ topic, payload: message, allowPlaceholders: true });
    expect(dataOf(once.channel, once.method ?? '', once.data)).toEqual(once.data);
  });
});

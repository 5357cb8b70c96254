import fc from 'fast-check';
import { decodeMessage } from './decode.js';
import { DOCK_SN, RECEIVED_AT_MS, accepted, aMessage } from './fixtures/messages.js';
import { METHODS } from './methods.js';
import { CHANNELS, topicFor } from './topics.js';

const anyChannel = fc.constantFrom(...CHANNELS);
const anyMethod = fc.oneof(fc.constantFrom(...METHODS.map(({ method }) => method)), fc.string());
const aVerdict = (result: { readonly accepted: boolean; readonly reason?: string }): boolean =>
  result.accepted || (typeof result.reason === 'string' && result.reason.length > 0);

describe('decodeMessage', () => {
  it('gives everything that a program needs of a message', () => {
    const data = { flight_id: 'a' };
    const message = aMessage('requests', { method: 'flighttask_resource_get', gateway: DOCK_SN, data });
    expect(decodeMessage(message)).toEqual({
      accepted: true,
      channel: 'requests',
      direction: 'up',
      flat: false,
      sn: DOCK_SN,
      method: 'flighttask_resource_get',
      tid: 'tid-1',
      bid: 'bid-1',
      timestampMs: RECEIVED_AT_MS,
      needReply: false,
      gateway: DOCK_SN,
      data,
      raw: message.payload,
      owner: 'mission',
      known: true,
      gatewayDiffers: false,
    });
  });

  it('reports of refused data all that an answer needs', () => {
    const message = aMessage('events', { method: 'flighttask_progress', need_reply: 1, data: {} });
    expect(decodeMessage(message)).toEqual({
      accepted: false,
      reason: 'data.output: expected an object',
      channel: 'events',
      sn: DOCK_SN,
      method: 'flighttask_progress',
      tid: 'tid-1',
      bid: 'bid-1',
      needReply: true,
    });
  });

  it('reports the channel of a payload that is no JSON', () => {
    expect(decodeMessage({ topic: topicFor('events', DOCK_SN), payload: 'x' })).toEqual({
      accepted: false,
      reason: 'payload is not JSON',
      channel: 'events',
      sn: DOCK_SN,
    });
  });

  it('does not decode a reply of an unknown method, and resolves one without a method by its tid alone', () => {
    expect(accepted(aMessage('services_reply', { data: { result: '0' } }))).toMatchObject({
      owner: 'any',
      known: false,
      data: { result: '0' },
    });
  });

  it('keeps the raw message apart from what it makes of it', () => {
    const data = { flight_id: ['a'] };
    const message = accepted(aMessage('services', { method: 'flighttask_undo', data }));
    expect(message.raw['data']).toEqual(data);
  });

  it('does not let a message change the prototype of anything', () => {
    const payload =
      '{"method":"x_event","data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
    decodeMessage({ topic: topicFor('events', DOCK_SN), payload });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(anyChannel, fc.uint8Array({ maxLength: 200 }), (channel, payload) =>
        aVerdict(decodeMessage({ topic: topicFor(channel, DOCK_SN), payload })),
      ),
    );
  });

  it('never throws on any topic', () => {
    fc.assert(fc.property(fc.string(), (topic) => aVerdict(decodeMessage({ topic, payload: '{}' }))));
  });

  it('never throws on any JSON as payload', () => {
    fc.assert(
      fc.property(anyChannel, fc.json({ noUnicodeString: false }), (channel, payload) =>
        aVerdict(decodeMessage({ topic: topicFor(channel, DOCK_SN), payload })),
      ),
    );
  });

  it('never throws on any data under any method', () => {
    fc.assert(
      fc.property(anyChannel, anyMethod, fc.jsonValue(), (channel, method, data) =>
        aVerdict(decodeMessage(aMessage(channel, { method, data }))),
      ),
      { numRuns: 1000 },
    );
  });

  it('reads what it made of a message in the same way again', () => {
    const words = fc.constantFrom('ok', 'failed', 'paused', 'in_progress');
    const ext = fc.record(
      {
        media_count: fc.oneof(fc.nat(), fc.nat().map(String)),
        wayline_id: fc.constantFrom(0, 65535, '65535', null),
        break_point: fc.record({ index: fc.nat(), progress: fc.double({ min: 0, max: 1, noNaN: true }) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(words, ext, (status, extension) => {
        const once = accepted(
          aMessage('events', { method: 'flighttask_progress', data: { output: { status, ext: extension } } }),
        );
        const twice = accepted(aMessage('events', { method: 'flighttask_progress', data: once.data }));
        expect(twice.data).toEqual(once.data);
      }),
    );
  });
});

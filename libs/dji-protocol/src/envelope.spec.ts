import { accepted, aMessage, DOCK_SN, RECEIVED_AT_MS, refusalOf } from './fixtures/messages.js';
import { decodeMessage } from './decode.js';
import type { Channel } from './topics.js';

const event = (overrides: object) => aMessage('events', { method: 'some_event', ...overrides });
const DAY_MS = 86_400_000;

describe('timestamp', () => {
  it('is read under its misspelt key (E1)', () => {
    expect(accepted(event({ timestamp: undefined, 'timestamp:': RECEIVED_AT_MS - 5 })).timestampMs).toBe(
      RECEIVED_AT_MS - 5,
    );
  });

  it('is read under its clean key where both are given (E1)', () => {
    expect(accepted(event({ timestamp: RECEIVED_AT_MS - 1, 'timestamp:': RECEIVED_AT_MS - 5 })).timestampMs).toBe(
      RECEIVED_AT_MS - 1,
    );
  });

  it('is read from a text of digits (E2)', () => {
    expect(accepted(event({ timestamp: String(RECEIVED_AT_MS - 7) })).timestampMs).toBe(RECEIVED_AT_MS - 7);
  });

  it.each([undefined, null, 0, '', 'soon', {}, 1.5])('is the time of receipt instead of %j (E3)', (timestamp) => {
    expect(accepted(event({ timestamp })).timestampMs).toBe(RECEIVED_AT_MS);
  });

  it('is null where it is missing and nobody says when the message came (E3)', () => {
    const { topic, payload } = event({ timestamp: undefined });
    expect(accepted({ topic, payload }).timestampMs).toBeNull();
  });

  it('is kept half a second behind ours, as docks are (E15)', () => {
    expect(accepted(event({ timestamp: RECEIVED_AT_MS - 500 })).timestampMs).toBe(RECEIVED_AT_MS - 500);
  });

  it.each([DAY_MS, -DAY_MS])('is kept %i ms away from the receipt (E21)', (offset) => {
    expect(accepted(event({ timestamp: RECEIVED_AT_MS + offset })).timestampMs).toBe(RECEIVED_AT_MS + offset);
  });

  it.each([RECEIVED_AT_MS * 10, RECEIVED_AT_MS + DAY_MS + 1, RECEIVED_AT_MS - DAY_MS - 1, 1_760_000_000])(
    'is the time of receipt instead of the implausible %i (E21)',
    (timestamp) => {
      expect(accepted(event({ timestamp })).timestampMs).toBe(RECEIVED_AT_MS);
    },
  );

  it('of 14 digits is null where nobody says when the message came (E21)', () => {
    const { topic, payload } = event({ timestamp: RECEIVED_AT_MS * 10 });
    expect(accepted({ topic, payload }).timestampMs).toBeNull();
  });

  it('of any year is kept where nobody says when the message came', () => {
    const { topic, payload } = event({ timestamp: 1_234_567_890_123 });
    expect(accepted({ topic, payload }).timestampMs).toBe(1_234_567_890_123);
  });
});

describe('method', () => {
  it.each<Channel>(['events', 'requests', 'services', 'status'])('is required on %s (E4)', (channel) => {
    expect(refusalOf(aMessage(channel))).toBe(`method is missing on ${channel}`);
  });

  it.each<Channel>([
    'services_reply',
    'events_reply',
    'requests_reply',
    'status_reply',
    'osd',
    'state',
    'property/set_reply',
  ])('may be missing on %s (E4)', (channel) => {
    expect(accepted(aMessage(channel)).method).toBeNull();
  });

  it.each(['a.b', '*', '>', '', 'A', 'a b', 'a/b', 'é', 'a'.repeat(65)])('is refused as %j', (method) => {
    expect(refusalOf(event({ method }))).toContain(`method ${JSON.stringify(method)} is not`);
  });

  it.each([1, true, {}, []])('is refused as %j, which is no text', (method) => {
    expect(refusalOf(event({ method }))).toBe('method: expected a string');
  });

  it('is answered though refused: the rest of the envelope is reported', () => {
    expect(decodeMessage(event({ method: 'a.b', need_reply: 1 }))).toEqual({
      accepted: false,
      reason: expect.any(String),
      channel: 'events',
      sn: DOCK_SN,
      tid: 'tid-1',
      bid: 'bid-1',
      needReply: true,
    });
  });
});

describe('need_reply', () => {
  it.each([1, true, '1'])('asks for an answer as %j (E5)', (need_reply) => {
    expect(accepted(event({ need_reply })).needReply).toBe(true);
  });

  it.each([0, false, '0', null, undefined, {}])('asks for none as %j (E5)', (need_reply) => {
    expect(accepted(event({ need_reply })).needReply).toBe(false);
  });

  it('is ignored on a reply (E6)', () => {
    expect(accepted(aMessage('services_reply', { need_reply: 1, data: { result: 0 } })).needReply).toBe(false);
  });

  it('is reported on the state of an aircraft (E20)', () => {
    expect(accepted(aMessage('state', { need_reply: 1 })).needReply).toBe(true);
  });
});

describe('gateway', () => {
  it.each([undefined, null, '', '{gateway_sn}', '#{pid}', 7])('says nothing as %j (E7)', (gateway) => {
    expect(accepted(event({ gateway }))).toMatchObject({ gateway: null, gatewayDiffers: false });
  });

  it('that is the topic`s own serial number does not differ (E7)', () => {
    expect(accepted(event({ gateway: DOCK_SN })).gatewayDiffers).toBe(false);
  });

  it('that is another one differs, and the topic`s serial number stays (E7)', () => {
    expect(accepted(event({ gateway: 'OTHER' }))).toMatchObject({
      sn: DOCK_SN,
      gateway: 'OTHER',
      gatewayDiffers: true,
    });
  });
});

describe('ids', () => {
  it.each(['123', '456', 'xxxxxxxx-xxxx', 'x'.repeat(128)])('are any text, also %s (E8)', (id) => {
    expect(accepted(event({ tid: id, bid: id }))).toMatchObject({ tid: id, bid: id });
  });

  it.each([undefined, null, ''])('are null as %j', (id) => {
    expect(accepted(event({ tid: id, bid: id }))).toMatchObject({ tid: null, bid: null });
  });

  it.each([1, {}, true])('are refused as %j', (id) => {
    expect(refusalOf(event({ tid: id }))).toBe('tid: expected a string');
    expect(refusalOf(event({ bid: id }))).toBe('bid: expected a string');
  });

  it('are refused above 128 characters (E8)', () => {
    expect(refusalOf(event({ tid: 'x'.repeat(129) }))).toBe('tid: expected at most 128 characters');
  });

  it('stay the same in a repeated event, whatever its time (E16)', () => {
    const first = accepted(event({ tid: 't' }));
    const second = accepted(event({ tid: 't', timestamp: RECEIVED_AT_MS + 2000 }));
    expect([second.tid, second.bid]).toEqual([first.tid, first.bid]);
  });
});

describe('data', () => {
  it.each([{}, null, '', undefined])('are empty as %j (E9)', (data) => {
    expect(accepted(event({ data })).data).toEqual({});
  });

  it.each([[[]], [[{ altitude: 1 }]]])('may be the list %j on airsense_warning (E10)', (data) => {
    expect(accepted(event({ method: 'airsense_warning', data })).data).toEqual(data);
  });

  it.each<Channel>(['osd', 'state', 'requests', 'services_reply'])('may not be a list on %s (E10)', (channel) => {
    expect(refusalOf(aMessage(channel, { method: 'some_method', data: [] }))).toBe('data: expected an object');
  });

  it.each([1, 'text', true])('are refused as %j', (data) => {
    expect(refusalOf(event({ data }))).toBe('data: expected an object');
  });

  it('are the body itself of a bare reply (E13)', () => {
    const { topic } = aMessage('services_reply');
    expect(accepted({ topic, payload: { result: 0, tid: 't' } })).toMatchObject({ tid: 't', data: { result: 0 } });
  });

  it('of an unknown method are kept as sent (E17)', () => {
    const data = { anything: [{ deep: '1' }], nothing: null };
    expect(accepted(event({ data }))).toMatchObject({ known: false, owner: 'none', data });
  });

  it('of one part of the telemetry are passed through (E19)', () => {
    const data = { mode_code: 0, job_number: 3, network_state: null };
    expect(accepted(aMessage('osd', { data }))).toMatchObject({ owner: 'fleet', data });
  });
});

import { CHANNELS, directionOf, parseTopic, replyChannelOf, topicFor, uplinkFilters } from './topics.js';

describe('topics', () => {
  it.each(CHANNELS)('reads back the topic it writes for %s', (channel) => {
    const parsed = parseTopic(topicFor(channel, 'DOCK-SN-001'));
    expect(parsed).toEqual({ accepted: true, sn: 'DOCK-SN-001', channel, direction: directionOf(channel) });
  });

  it.each(['4TADL210020011', 'DOCK-SN-001', 'SN_DOCK_FIXTURE', 'a'.repeat(64)])('takes %s as a serial number', (sn) => {
    expect(parseTopic(`thing/product/${sn}/osd`)).toMatchObject({ accepted: true, sn });
  });

  it.each(['', 'a.b', '+', '#', 'a b', 'a'.repeat(65), '{pid}', 'é'])('refuses %j as a serial number', (sn) => {
    expect(parseTopic(`thing/product/${sn}/osd`).accepted).toBe(false);
  });

  it.each(['{pid}', '#{pid}', '{gateway_sn}', '{device_sn}', '{dock_sn}', '{sn}'])(
    'takes %s for a serial number when asked to (E14)',
    (sn) => {
      expect(parseTopic(`thing/product/${sn}/events`, { allowPlaceholders: true })).toMatchObject({
        accepted: true,
        sn,
      });
    },
  );

  it('takes no other braces for a serial number (E14)', () => {
    expect(parseTopic('thing/product/{anything}/events', { allowPlaceholders: true }).accepted).toBe(false);
  });

  it.each([
    'thing/product/SN1',
    'thing/product/SN1/',
    'thing/product/SN1/status',
    'sys/product/SN1/osd',
    'thing/product/SN1/events/extra',
    'thing/product/SN1/property',
    'Thing/product/SN1/osd',
    'thing/other/SN1/osd',
    '',
  ])('refuses the topic %j with a reason', (topic) => {
    expect(parseTopic(topic)).toEqual({ accepted: false, reason: expect.stringContaining('topic') });
  });

  it('keeps a refused topic of any length short in the reason', () => {
    const result = parseTopic('x'.repeat(10_000));
    expect(result.accepted ? '' : result.reason).toHaveLength(110);
  });

  it('subscribes what must be stored apart from telemetry', () => {
    expect(uplinkFilters()).toEqual({
      control: [
        'sys/product/+/status',
        'thing/product/+/state',
        'thing/product/+/events',
        'thing/product/+/requests',
        'thing/product/+/services_reply',
        'thing/product/+/property/set_reply',
      ],
      telemetry: ['thing/product/+/osd'],
    });
  });

  it('answers the state of an aircraft on state_reply (E20)', () => {
    expect(replyChannelOf('state')).toBe('state_reply');
  });

  it.each(['osd', 'services_reply', 'events_reply', 'drc/up'] as const)('answers nothing on %s', (channel) => {
    expect(replyChannelOf(channel)).toBeNull();
  });
});

import { accepted, DOCK_SN, refusalOf } from './fixtures/messages.js';
import type { WireMessage } from './decode.js';

const of = (channel: 'osd' | 'state', body: object): WireMessage => ({
  topic: `thing/product/${DOCK_SN}/${channel}`,
  payload: { tid: 't', bid: 'b', timestamp: Date.now(), gateway: DOCK_SN, ...body },
});

describe.each(['osd', 'state'] as const)('the properties of an %s', (channel) => {
  it.each([{}, { data: {} }, { data: null }, { data: '' }])(
    'are read beside the envelope where %j holds none, and the message says so',
    (noData) => {
      const message = accepted(of(channel, { mode_code: 0, drone_in_dock: 1, ...noData }));
      expect(message).toMatchObject({ flat: true, data: { mode_code: 0, drone_in_dock: 1 } });
    },
  );

  it('are those under `data` where both are given', () => {
    const message = accepted(of(channel, { mode_code: 4, data: { mode_code: 0 } }));
    expect(message).toMatchObject({ flat: false, data: { mode_code: 0 } });
  });

  it('are none where nothing but the envelope was sent', () => {
    expect(accepted(of(channel, { need_reply: 1 }))).toMatchObject({ flat: false, data: {} });
  });

  it('are refused where `data` is of a kind that no property message has', () => {
    expect(refusalOf(of(channel, { mode_code: 0, data: [1] }))).toContain('data');
  });

  it('are numbers where every table has numbers, also when a dock writes them as texts (E18)', () => {
    const data = {
      mode_code: '0',
      wind_speed: '2.5',
      drone_charge_state: { capacity_percent: '94', state: '0' },
      rainfall: 'heavy',
      device_sn: '1581',
      sub_device: { device_sn: '1581000' },
    };
    expect(accepted(of(channel, { data })).data).toEqual({
      ...data,
      mode_code: 0,
      wind_speed: 2.5,
      drone_charge_state: { capacity_percent: 94, state: 0 },
    });
  });
});

it('a message of another channel is never read beside its envelope', () => {
  const topic = `thing/product/${DOCK_SN}/events`;
  const message = accepted({ topic, payload: { tid: 't', bid: 'b', method: 'some_event', mode_code: 0 } });
  expect(message).toMatchObject({ flat: false, data: {} });
});

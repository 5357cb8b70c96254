import type { DockFact } from '@aerie/bus-contract';
import { readAlarms } from './read-alarms.js';

const T = 1_700_000_000_000;
const read = (data: unknown, method = 'hms', receivedAtMs = T) =>
  readAlarms({ sn: 'AIRCRAFT', channel: 'events', method, data, receivedAtMs } as unknown as DockFact, 'DOCK');

it('reads what a device lists, for the dock that spoke', () => {
  const args = { component_index: 1, sensor_index: 0 };
  const said = { code: '0x1', level: 2, module: 3, in_the_sky: 1, imminent: 1, device_type: '0-67-0', args };
  expect(read({ list: [said, { code: '0x2' }] })).toEqual({
    ...{ deviceSn: 'AIRCRAFT', dockSn: 'DOCK' },
    list: {
      receivedAtMs: T,
      alarms: [
        {
          ...{ code: '0x1', componentIndex: 1, sensorIndex: 0, module: 3, deviceType: '0-67-0', level: 2 },
          ...{ inTheSky: true, imminent: true },
        },
        {
          ...{ code: '0x2', componentIndex: null, sensorIndex: null, module: null, deviceType: null, level: null },
          ...{ inTheSky: false, imminent: false },
        },
      ],
    },
  });
});

it.each([
  ['no list', {}, 'hms'],
  ['no code', { list: [{ level: 1 }] }, 'hms'],
  ['another method', { list: [] }, 'ota_progress'],
])('does not take a message with %s for a list of alarms', (_what, data, method) => {
  expect(read(data, method)).toBeNull();
});

it('leaves out a code or a type that is longer than any', () => {
  const long = 'x'.repeat(65);
  const list = [{ code: long }, { code: '0x1', device_type: long }, { code: '0x2' }];
  expect(read({ list })?.list.alarms).toMatchObject([{ code: '0x2' }]);
});

it('reads an index below 0 as none', () => {
  const list = [{ code: '0x1', args: { component_index: -1, sensor_index: -1 } }];
  expect(read({ list })?.list.alarms).toMatchObject([{ componentIndex: null, sensorIndex: null }]);
});

it('takes a time from the future for now', () => {
  expect(read({ list: [] }, 'hms', Date.now() + 86_400_000)?.list.receivedAtMs).toBeLessThanOrEqual(Date.now());
});

import { dataOf, reasonFor } from '../fixtures/messages.js';

const alarm = {
  level: 1,
  module: 3,
  in_the_sky: 0,
  code: '0x16100083',
  device_type: '0-67-0',
  imminent: 1,
  args: { component_index: 0, sensor_index: 0 },
};

it('reads alarms as they are printed', () => {
  expect(dataOf('events', 'hms', { list: [alarm] })).toEqual({ list: [alarm] });
});

it('reads an empty list as no alarm', () => {
  expect(dataOf('events', 'hms', { list: [] })).toEqual({ list: [] });
});

it('reads an alarm that says no more than its code, and keeps what it does not know', () => {
  const list = [{ code: '0x1', args: { alarmid: 5 }, new_member: true }];
  expect(dataOf('events', 'hms', { list })).toEqual({ list });
});

it.each([
  [
    { level: '2', in_the_sky: true, imminent: 'false' },
    { level: 2, in_the_sky: 1, imminent: 0 },
  ],
  [{ args: null, level: null }, {}],
])('reads %j', (odd, plain) => {
  expect(dataOf('events', 'hms', { list: [{ code: '0x1', ...odd }] })).toEqual({ list: [{ code: '0x1', ...plain }] });
});

it.each([
  [{}, /list/],
  [{ list: {} }, /list/],
  [{ list: [{ ...alarm, code: '' }] }, /code/],
  [{ list: [{ level: 1 }] }, /code/],
  [{ list: [{ code: '0x1', level: 'bad' }] }, /level/],
])('refuses %j, and says why: an alarm that is not understood must not pass for none', (data, reason) => {
  expect(reasonFor('events', 'hms', data)).toMatch(reason);
});

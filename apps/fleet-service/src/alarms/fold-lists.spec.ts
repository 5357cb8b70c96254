import {
  type Alarm,
  type AlarmList,
  type KnownAlarms,
  type SaidAlarm,
  SAME_ALARM_WITHIN_MS,
  SEEN_EVERY_MS,
  foldLists,
} from './fold-lists.js';

const NOTHING: KnownAlarms = { alarms: [], heardAtMs: null };
const T = 1_800_000_000_000;
const WIND: SaidAlarm = {
  ...{ code: '0x1', componentIndex: null, sensorIndex: null, level: 1, inTheSky: false, imminent: false },
  ...{ module: 3, deviceType: '0-100-0' },
};
const OTHER = { ...WIND, code: '0x2' };
const at = (afterMs: number, ...alarms: SaidAlarm[]): AlarmList => ({ receivedAtMs: T + afterMs, alarms });

/** As the rows are read the next time. */
function after(known: KnownAlarms, ...lists: AlarmList[]): KnownAlarms {
  const { changed, heardAtMs } = foldLists(known, lists);
  const rows = new Map(known.alarms.map((alarm) => [alarm.id, alarm]));
  for (const alarm of changed) {
    const id = alarm.id ?? `row-${rows.size}`;
    rows.set(id, { ...alarm, id });
  }
  return { alarms: [...rows.values()], heardAtMs };
}
const eventsOf = (known: KnownAlarms, ...lists: AlarmList[]) =>
  foldLists(known, lists).events.map(({ event, alarm }) => `${event} ${alarm.code}`);

it('opens what a list has, and says so once', () => {
  const { changed, events } = foldLists(NOTHING, [at(0, WIND), at(2_000, WIND)]);
  expect(changed).toEqual([
    {
      ...{ id: null, code: '0x1', componentIndex: null, sensorIndex: null, module: 3, deviceType: '0-100-0' },
      ...{ level: 1, inTheSky: false, imminent: false, openedAtMs: T, seenAtMs: T, closedAtMs: null, times: 1 },
    },
  ]);
  expect(events).toEqual([{ event: 'alarmOpened', alarm: changed[0] }]);
});

it('changes nothing when a list says again what the one before said', () => {
  const known = after(NOTHING, at(0, WIND));
  expect(foldLists(known, [at(2_000, WIND), at(4_000, { ...WIND })]).changed).toEqual([]);
});

it('changes nothing when an empty list finds nothing open', () => {
  expect(foldLists(NOTHING, [at(0), at(2_000)])).toEqual({ changed: [], events: [], heardAtMs: null });
});

it('closes what a list no longer has, and all with an empty list', () => {
  const known = after(NOTHING, at(0, WIND, OTHER));
  expect(eventsOf(known, at(2_000, WIND))).toEqual(['alarmClosed 0x2']);
  expect(eventsOf(known, at(2_000))).toEqual(['alarmClosed 0x1', 'alarmClosed 0x2']);
});

it('has an alarm for each component and sensor', () => {
  const of = (componentIndex: number) => ({ ...WIND, componentIndex, sensorIndex: 0 });
  const known = after(NOTHING, at(0, of(0), of(1)));
  expect(known.alarms).toHaveLength(2);
  expect(foldLists(known, [at(2_000, of(1))]).changed).toMatchObject([{ componentIndex: 0, closedAtMs: T + 2_000 }]);
});

it('keeps what a list says twice once, as it says it last', () => {
  expect(foldLists(NOTHING, [at(0, WIND, { ...WIND, level: 2 })]).changed).toMatchObject([{ level: 2 }]);
});

it.each([{ level: 0 }, { inTheSky: true }])('writes an open alarm anew when it says %j', (facet) => {
  const known = after(NOTHING, at(0, WIND));
  const { changed, events } = foldLists(known, [at(2_000, { ...WIND, ...facet })]);
  expect(changed).toMatchObject([{ id: known.alarms[0]?.id, openedAtMs: T, seenAtMs: T + 2_000 }]);
  expect(events).toEqual([]);
});

it.each([{ level: 2 }, { imminent: true }])('says that an alarm got worse when it says %j', (facet) => {
  const known = after(NOTHING, at(0, WIND));
  expect(eventsOf(known, at(2_000, { ...WIND, ...facet }))).toEqual(['alarmWorsened 0x1']);
});

it('opens no more than 300 alarms of a device in a minute', () => {
  const many = Array.from({ length: 400 }, (_, index) => ({ ...WIND, code: `0x${index}` }));
  expect(foldLists(NOTHING, [at(0, ...many)]).changed).toHaveLength(300);
});

it('notes now and then that an open alarm is still there', () => {
  const known = after(NOTHING, at(0, WIND));
  expect(foldLists(known, [at(SEEN_EVERY_MS - 1, WIND)]).changed).toEqual([]);
  expect(foldLists(known, [at(SEEN_EVERY_MS, WIND)]).changed).toMatchObject([{ seenAtMs: T + SEEN_EVERY_MS }]);
});

it('takes an alarm that comes back soon for the same one', () => {
  const known = after(NOTHING, at(0, WIND), at(2_000));
  const { changed, events } = foldLists(known, [at(2_000 + SAME_ALARM_WITHIN_MS, WIND)]);
  expect(changed).toMatchObject([{ id: known.alarms[0]?.id, openedAtMs: T, closedAtMs: null, times: 2 }]);
  expect(events).toMatchObject([{ event: 'alarmOpened' }]);
});

it('takes an alarm that comes back later for another one, also within one backlog', () => {
  const later = 2_001 + SAME_ALARM_WITHIN_MS;
  const known = after(NOTHING, at(0, WIND), at(2_000));
  expect(foldLists(known, [at(later, WIND)]).changed).toMatchObject([{ id: null, openedAtMs: T + later, times: 1 }]);
  const { changed } = foldLists(NOTHING, [at(0, WIND), at(2_000), at(later, WIND)]);
  expect(changed).toMatchObject([{ closedAtMs: T + 2_000 }, { openedAtMs: T + later, closedAtMs: null }]);
});

it('says of each event how the alarm was then', () => {
  const { events } = foldLists(NOTHING, [at(0, WIND), at(2_000), at(4_000, { ...WIND, level: 2 })]);
  const shown = events.map(({ event, alarm }: { event: string; alarm: Alarm }) => [event, alarm.level, alarm.times]);
  expect(shown).toEqual([
    ['alarmOpened', 1, 1],
    ['alarmClosed', 1, 1],
    ['alarmOpened', 2, 2],
  ]);
});

it('ignores a list that comes again, or late', () => {
  const known = after(NOTHING, at(0, WIND), at(4_000));
  expect(foldLists(known, [at(0, WIND), at(3_000, WIND), at(4_000, WIND)]).changed).toEqual([]);
});

it('reads lists in the order in which they came', () => {
  expect(eventsOf(NOTHING, at(2_000), at(0, WIND))).toEqual(['alarmOpened 0x1', 'alarmClosed 0x1']);
});

import { pageQuery, pageSchema, queryFlag } from '@aerie/http-api';
import { z } from 'zod';

/** What callers send and get of alarms. Strict, and a test holds real answers against it. */

const LONGEST_NOTE = 1_000;
const LONGEST_SN = 64;

const instant = (says: string) => z.iso.datetime().describe(`${says} RFC 3339, UTC.`);
const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);
export const ALARM_LEVELS = ['notice', 'caution', 'warning', 'unknown'] as const;
const modules = ['flightTask', 'deviceManagement', 'media', 'health', 'unknown'] as const;
const sn = (says: string) => z.string().min(1).max(LONGEST_SN).optional().describe(says);

export const alarmListQuery = z.strictObject({
  ...pageQuery.shape,
  open: queryFlag.optional().describe('`true`: only alarms that are open. `false`: only those that are over.'),
  acknowledged: queryFlag.optional().describe('`false`: only alarms that nobody has acknowledged.'),
  dockSn: sn('Only alarms of this dock and of its aircraft.'),
  deviceSn: sn('Only alarms of this device.'),
});

const note = z.string().trim().min(1).max(LONGEST_NOTE);

export const acknowledgement = z.strictObject({
  note: note.optional().describe('For people: what was found, or done.'),
});

export const alarmChange = z
  .strictObject({
    assignedTo: z.uuid().nullable().optional().describe('Id of the member who looks after it. Null: nobody.'),
    note: note.nullable().optional().describe('For people. Null: none.'),
  })
  .refine(({ assignedTo, note: text }) => assignedTo !== undefined || text !== undefined, {
    path: ['assignedTo'],
    message: 'must be sent, or note: there is nothing to change',
  });

const text = z
  .strictObject({ en: z.string().nullable().describe('English.'), zh: z.string().nullable().describe('Chinese.') })
  .nullable()
  .describe("The vendor's words. Null: `FLEET_HMS_TEXTS_FILE` is not set, or has none for this code.");

export const alarmSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the alarm.'),
    dockSn: z.string().describe('Serial number of the dock that told it.'),
    deviceSn: z.string().describe('Serial number of the device that it is about: the dock, or its aircraft.'),
    code: z.string().describe("The vendor's code of what is wrong, e.g. 0x16100083."),
    text,
    level: z
      .enum(ALARM_LEVELS)
      .describe('How bad it is; a warning is the worst. `unknown`: the device names another level.'),
    imminent: z.boolean().describe('Whether it needs attention at once.'),
    inTheSky: z.boolean().describe('Whether the aircraft was in the air when the device said so last.'),
    module: z.enum(modules).describe('What it is about.'),
    deviceType: z.string().nullable().describe('Domain, type and subtype of the device. Null: not said.'),
    componentIndex: z.int().nullable().describe('Which component. Null: not said.'),
    sensorIndex: z.int().nullable().describe('Which sensor. Null: not said.'),
    open: z.boolean().describe('Whether it is there now, as the device said last.'),
    openedAt: instant('When it was first seen.'),
    lastSeenAt: instant('When it was last seen, exact to ten minutes.'),
    closedAt: instantOrNull('When the device no longer had it. Null: it is open.'),
    times: z.int().describe('How often it was opened. One that comes back within a minute is the same alarm.'),
    acknowledgedAt: instantOrNull('When somebody acknowledged it. Null: nobody has.'),
    acknowledgedBy: z.string().nullable().describe('Who did: `person:` or `key:`, and an id.'),
    assignedTo: z.uuid().nullable().describe('Id of the member who looks after it.'),
    note: z.string().nullable().describe('For people.'),
  })
  .describe('Something that is, or was, wrong with a dock or its aircraft.');

export const alarmPageSchema = pageSchema(alarmSchema, 'The alarms of this page, the newest first.');

export const levelOf = (level: number | null): (typeof ALARM_LEVELS)[number] => ALARM_LEVELS[level ?? -1] ?? 'unknown';
export const moduleOf = (module: number | null): (typeof modules)[number] => modules[module ?? -1] ?? 'unknown';

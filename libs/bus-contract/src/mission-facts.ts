import { z } from 'zod';

/** What mission-service tells others, on `mission.v1.<organisation>.<event>`. Instants are RFC 3339 in UTC. */

/** The states of a mission, as they are called on the bus. A spec of mission-service holds them against its own. */
export const missionStateName = z.enum([
  'awaiting_approval',
  'scheduled',
  'preparing',
  'waiting_ready',
  'prepared',
  'starting',
  'executing',
  'paused',
  'canceling',
  'succeeded',
  'partially_done',
  'failed',
  'rejected',
  'canceled',
  'timed_out',
  'missed',
  'outcome_unknown',
]);

const mission = {
  missionId: z.uuid().describe('The mission.'),
  dockSn: z.string().describe('Serial number of its dock.'),
};

/** A mission was planned, by a person or by the policy. */
export const missionCreated = z.object({
  ...mission,
  kind: z.enum(['immediate', 'timed', 'conditional']).describe('When it starts.'),
  executeAt: z.iso.datetime().nullable().describe('Timed missions: the instant of take-off. RFC 3339, UTC.'),
});
export type MissionCreated = z.infer<typeof missionCreated>;

/** A mission went from one state to another. Decisions that change no state are told to nobody. */
export const missionStateChanged = z.object({
  ...mission,
  from: missionStateName.describe('State before.'),
  to: missionStateName.describe('State after.'),
  revision: z.int().describe('Grows with every decision on the mission; says which of two facts is newer.'),
  cause: z
    .object({
      code: z.string().describe('Stable word for why, e.g. reported_by_dock.'),
      dockResult: z.int().optional().describe("The dock's own result code, where it gave one; 0 is success."),
    })
    .nullable()
    .describe('Why it ended, or why it waits. Null: neither.'),
  at: z.iso.datetime().describe("When it was decided, by the database's clock. RFC 3339, UTC."),
  startedAt: z.iso
    .datetime()
    .nullable()
    .optional()
    .describe('When its dock was told to start. Null: never. Missing from facts of older releases. RFC 3339, UTC.'),
  endedBy: z
    .enum(['person', 'dock'])
    .nullable()
    .optional()
    .describe(
      'Who ended it, by cancel or in flight; null: time did, or it has not ended. Missing from older releases.',
    ),
});
export type MissionStateChanged = z.infer<typeof missionStateChanged>;

/** What became known of a mission whose outcome was unknown. Its state stays. */
export const missionResolved = z.object({
  ...mission,
  resolution: z
    .discriminatedUnion('by', [
      z.object({
        by: z.literal('person').describe('A person has looked.'),
        keyId: z.string().describe('Who it was: the id of an API key, or `person:<id>`.'),
        note: z.string().describe('What the person found.'),
        at: z.iso.datetime().describe('When. RFC 3339, UTC.'),
      }),
      z.looseObject({
        by: z.literal('dock').describe('The dock said later how it ended.'),
        event: z.record(z.string(), z.unknown()).describe("What was understood, in the mission's own words."),
        nowMs: z.number().describe('When, milliseconds since the epoch.'),
        progress: z.record(z.string(), z.unknown()).nullable().describe('What the dock reported with it.'),
      }),
    ])
    .describe('Who found it out, and what.'),
});
export type MissionResolved = z.infer<typeof missionResolved>;

/** A mission was planned over a time in which its dock exports logs: the export must have ended by then. */
export const missionDockNeeded = z.object({
  ...mission,
  holderId: z.uuid().describe('The log upload that has the dock.'),
  neededAt: z.iso.datetime().describe('When the mission begins to need it. RFC 3339, UTC.'),
});
export type MissionDockNeeded = z.infer<typeof missionDockNeeded>;

/** A dock told something about a flight that a person may have to act on. */
export const missionAlarm = z.object({
  ...mission,
  method: z
    .string()
    .describe("The vendor's name of the message: device_exit_homing_notify or flight_setup_exception_notify."),
  data: z.unknown().describe('Its data, snake_case as on the wire.'),
});
export type MissionAlarm = z.infer<typeof missionAlarm>;

/** Every fact of a mission, by the last part of its subject. */
export const MISSION_FACTS = {
  created: missionCreated,
  stateChanged: missionStateChanged,
  resolved: missionResolved,
  dockNeeded: missionDockNeeded,
  alarm: missionAlarm,
} as const;
export type MissionFactName = keyof typeof MISSION_FACTS;

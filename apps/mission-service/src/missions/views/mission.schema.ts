import { pageSchema } from '@aerie/http-api';
import { RULE_NAMES, type RuleName } from '@aerie/mission-core';
import { z } from 'zod';
import { CAUSES, CAUSE_CODES } from './causes.js';
import {
  dockErrorOrNull,
  dockErrorSchema,
  instant,
  instantOrNull,
  millisOrNull,
  missionKind,
  missionState,
} from './fields.schema.js';
import { APPROVAL_STATES } from './mission.view.js';

/** What `viewOf` shows, for callers. Strict, and a test parses real rows with it: a new field does not stay undescribed. */

export const ruleName = z
  .enum(RULE_NAMES as [RuleName, ...RuleName[]])
  .describe('A rule of preflight; docs/preflight.md tells about each.');

const verdict = z
  .strictObject({
    verdict: z.enum(['go', 'no_go']).describe('no_go if at least one rule says so.'),
    failed: z.array(ruleName).describe('The rules that said no.'),
    at: instant('When it was judged; the first time, where the same verdict came several times in a row.'),
    times: z.number().int().optional().describe('How often in a row it held the mission back; absent: once, or not.'),
    lastAt: instant('When it held the mission back last.').optional(),
  })
  .nullable();

const window = z
  .strictObject({
    from: instant('The dock may start after this instant.'),
    until: instant('The dock may start before this instant.'),
    batteryAbovePercent: z.int().describe('The dock starts only above this charge, percent.'),
  })
  .nullable()
  .describe('Conditional missions: when the dock may start by itself.');

const simulated = z
  .strictObject({
    latitude: z.number().describe('Degrees, WGS 84.'),
    longitude: z.number().describe('Degrees, WGS 84.'),
    altitudeMeters: z.number().optional().describe('Metres; Dock 3 only.'),
  })
  .nullable()
  .describe('Indoor test: where the aircraft pretends to take off.');

const approval = z
  .strictObject({
    state: z
      .enum(APPROVAL_STATES)
      .describe(
        '`awaited`: the mission waits. `given`: another person approved the plan as it is. `refused`: a person ended it ' +
          'instead. `missing`: it ended, or its dock flew it, before anybody approved it.',
      ),
    until: instantOrNull('Without an approval the mission ends then. Null: none is awaited.'),
    changedBy: z
      .string()
      .nullable()
      .describe('Who moved it to another time last, and may not approve it either: as createdBy. Null: nobody.'),
    decidedBy: z
      .string()
      .nullable()
      .describe('Who approved or refused the plan as it is: `person:<id>`, or a key that refused.'),
    decidedAt: instantOrNull('When.'),
    reason: z.string().nullable().describe('Why, in the words of whoever decided.'),
  })
  .nullable()
  .describe('The approval of another person. Null: the mission needs none.');

const cause = z
  .strictObject({
    code: z.enum(CAUSE_CODES).describe(
      Object.entries(CAUSES)
        .map(([code, { en }]) => `\`${code}\`: ${en}`)
        .join(' '),
    ),
    text: dockErrorSchema.describe('The cause in words, and what can be done.'),
    dockResult: z.int().optional().describe("The dock's own result code, where it gave one; 0 is success."),
    dockError: dockErrorOrNull.optional(),
    failedRules: z.array(ruleName).optional().describe('The rules of preflight that held it back.'),
    final: z.boolean().describe('Whether it is over, or may still change.'),
    endedBy: z
      .enum(['person', 'dock'])
      .nullable()
      .optional()
      .describe('Who ended it: a person by cancel or in flight, or the dock. Null: time did. Absent: not final.'),
    resumable: z
      .boolean()
      .optional()
      .describe('Whether the flight can go on where it stopped; its places are at `/breakpoints`. Absent: not final.'),
  })
  .nullable()
  .describe('Why it ended, or why it waits. Null: neither.');

const progressMembers = {
  status: z.string().describe("The dock's own word, e.g. in_progress."),
  percent: z.number().nullable().describe('Of the whole job, 0 to 100; real docks stay at 90 while they fly.'),
  currentStep: z.int().nullable().describe("The dock's own number; its meaning differs by model and firmware."),
  waypointIndex: z.int().nullable().describe('Waypoint that is being flown, from 0.'),
  mediaCount: z.int().nullable().describe('Photos and videos made; meaningful once the mission has ended.'),
  reportedAt: instant('When the dock said it, by our clock.'),
};

const progress = z
  .strictObject(progressMembers)
  .nullable()
  .describe('The last that the dock reported of the flight. Null: nothing yet.');

const byPerson = z.strictObject({
  by: z.literal('person').describe('A person has looked.'),
  keyId: z.string().describe('Who it was: the id of an API key, or `person:<id>`.'),
  note: z.string().describe('What the person found.'),
  at: instant('When.'),
});

const byDock = z.strictObject({
  by: z.literal('dock').describe('The dock said later how it ended.'),
  tid: z.string().nullable().optional().describe('Transaction of the message that said it.'),
  event: z.record(z.string(), z.unknown()).describe('What was understood, as in the timeline.'),
  nowMs: z.number().describe('When, milliseconds since the epoch.'),
  progress: z.strictObject(progressMembers).nullable().describe('What the dock reported with it.'),
});

export const missionSchema = z
  .strictObject({
    id: z.uuid().describe('Also the `flight_id` on the wire.'),
    name: z.string().describe('For people.'),
    dockSn: z.string().describe('Serial number of the dock.'),
    waylineId: z.uuid().describe('The wayline that is flown.'),
    kind: missionKind,
    state: missionState,
    version: z
      .int()
      .describe(
        'Grows with every decision; for `If-Match`. What a dock reports of a flight that goes on is no decision.',
      ),
    executeAt: instantOrNull('Timed missions: the instant of take-off.'),
    prepareAt: instant('When the dock is first told.'),
    deadline: instantOrNull(
      'Nothing that prepares or starts the flight leaves at or after this. Only a new executeAt moves it later.',
    ),
    window,
    rthAltitudeMeters: z.int().describe('Return altitude in metres above the take-off point.'),
    exitOnRcLost: z
      .enum(['continue', 'executeLostAction'])
      .describe('What the aircraft does when it loses its link; the same as in the wayline.'),
    positioning: z.enum(['gps', 'rtk']).describe('rtk: the aircraft hovers after take-off until RTK has converged.'),
    simulate: simulated,
    storageNeededMegabytes: millisOrNull('Free storage that the start needs, MB. Null: not asked for.'),
    flightAreaCheck: z.boolean().describe('The dock compares custom flight areas before take-off.'),
    startWindowMs: millisOrNull('How late it may start, ms. Null: as the service is set.'),
    startWithinMs: millisOrNull(
      'Immediate missions: within how long after it was accepted it starts, ms. Null: as the service is set.',
    ),
    executeLeadMs: millisOrNull(
      'How long before executeAt the dock is told to start, ms. Null: as the service is set.',
    ),
    prepareLeadMs: millisOrNull(
      'How long before executeAt the dock gets the mission, ms. Null: as the service is set.',
    ),
    approval,
    resumedFrom: z.uuid().nullable().describe('The mission that this one goes on with.'),
    attempt: z.int().describe('How often a start was claimed; 0 before the first.'),
    startedAt: instantOrNull('When the present start was claimed.'),
    nextActionAt: instantOrNull('When it is looked at next; null once it has ended.'),
    preflight: z
      .strictObject({
        plan: verdict.describe('As it was planned. Null: not judged.'),
        prepare: verdict.describe('Before the dock was told. Null: not judged yet.'),
        execute: verdict.describe('The last word before take-off. Null: not judged yet.'),
      })
      .describe('The last verdict of each stage; the whole result is at `/preflight`.'),
    cause,
    progress,
    resolution: z
      .discriminatedUnion('by', [byPerson, byDock])
      .nullable()
      .describe('What became known later of a mission whose outcome was unknown.'),
    createdBy: z
      .string()
      .describe('Who planned it: the id of an API key, or `person:<id>`; `auto-resume` where the policy did.'),
    createdAt: instant('When it was planned.'),
    updatedAt: instant('When it last changed.'),
  })
  .describe('A mission: one flight of one wayline by one dock. Null where there is nothing to say.');

export const createdMissionSchema = missionSchema.extend({
  warnings: z
    .array(
      z.strictObject({
        rule: ruleName,
        message: z.string().describe('What was found, and what to do.'),
      }),
    )
    .describe('What would hold the mission back if it were due now, such as a dock that is not connected.'),
});

export const missionPageSchema = pageSchema(missionSchema, 'Missions in the order that was asked for.');

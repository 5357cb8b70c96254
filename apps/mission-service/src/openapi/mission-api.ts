import { assembleOpenApi, route, auditRecordSchema, auditRoute } from '@aerie/http-api';
import { z } from 'zod';
import { errorCodeSchema } from '../missions/http/error-code.schema.js';
import { ERROR_CODE_ROUTES } from '../missions/http/error-codes.openapi.js';
import { CONTROL_ROUTES } from '../missions/http/control.openapi.js';
import { choiceSchema, controlAcceptedSchema, missionConflictSchema } from '../missions/http/control.schema.js';
import { HISTORY_ROUTES } from '../missions/http/history.openapi.js';
import {
  instant,
  conditionalMission,
  immediateMission,
  newMissionOfKinds,
  timedMission,
  reschedule,
  resolution,
  resumeFromBreakPoint,
  returnToDock,
  why,
} from '../missions/http/mission.input.js';
import { newMissionsOfKinds } from '../missions/http/batch.input.js';
import { BATCH_ROUTES, resultSchema } from '../missions/http/batch.openapi.js';
import { MISSION_ROUTES } from '../missions/http/missions.openapi.js';
import { conflictSchema, previewSchema } from '../missions/http/preview.schema.js';
import { POLICY_ROUTES } from '../missions/http/policy.openapi.js';
import { policyInput } from '../missions/http/policy.input.js';
import { policySchema } from '../missions/http/policy.schema.js';
import { preflightStagesSchema, ruleResultSchema } from '../missions/http/preflight.schema.js';
import { dockErrorSchema, missionKind, missionState } from '../missions/views/fields.schema.js';
import { breakPointSchema, commandSchema, timelineEntrySchema } from '../missions/views/history.schema.js';
import { createdMissionSchema, missionSchema, ruleName } from '../missions/views/mission.schema.js';
import { routeGeoJsonSchema, waylineSchema } from '../waylines/wayline.schema.js';
import { WAYLINE_ROUTES } from '../waylines/waylines.openapi.js';

const OPENAPI_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/openapi.json',
    operationId: 'getOpenApi',
    tag: 'about',
    summary: 'This document',
    public: true,
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: { 'application/json': z.record(z.string(), z.unknown()).describe('OpenAPI 3.1.') },
      },
    },
  }),
];

const AUDIT_ROUTE = auditRoute({
  path: '/api/v1/mission-audit',
  operationId: 'listMissionAuditRecords',
  about: 'missions and waylines',
});

/** Every route of this service. A test holds it against the controllers. */
export const ROUTES = [
  ...MISSION_ROUTES,
  ...BATCH_ROUTES,
  ...CONTROL_ROUTES,
  ...HISTORY_ROUTES,
  ...POLICY_ROUTES,
  ...ERROR_CODE_ROUTES,
  ...WAYLINE_ROUTES,
  AUDIT_ROUTE,
  ...OPENAPI_ROUTES,
];

/** The API of this service as OpenAPI 3.1; docs/api/openapi.json is a copy. */
export const MISSION_API = assembleOpenApi({
  title: 'Aerie: missions and waylines',
  version: '1',
  description:
    'Plan, watch and steer the flights of drone docks. Instants are RFC 3339; units are in the names of fields. Errors ' +
    'are problem+json (RFC 9457) with a stable `code`. Fields may be added at any time; a client must ignore those ' +
    'that it does not know. The life of a mission is in docs/missions.md.',
  tags: [
    { name: 'missions', description: 'From plan to outcome.' },
    { name: 'control', description: 'Commands to a flight, of a person.' },
    { name: 'history', description: 'What happened, and why.' },
    { name: 'policy', description: 'What holds for all missions of an organisation.' },
    { name: 'error codes', description: "Docks' numbers in words." },
    { name: 'waylines', description: 'Route files.' },
    { name: 'audit', description: 'Who asked for what, and what was refused.' },
    { name: 'about', description: 'The API itself.' },
  ],
  routes: ROUTES,
  requestSchemas: {
    Instant: instant,
    NewMission: newMissionOfKinds,
    NewMissions: newMissionsOfKinds,
    ImmediateMission: immediateMission,
    TimedMission: timedMission,
    ConditionalMission: conditionalMission,
    Reschedule: reschedule,
    Why: why,
    ReturnToDock: returnToDock,
    ResumeFromBreakPoint: resumeFromBreakPoint,
    Resolution: resolution,
    NewPolicy: policyInput,
  },
  responseSchemas: {
    Mission: missionSchema,
    CreatedMission: createdMissionSchema,
    BatchResult: resultSchema,
    MissionState: missionState,
    MissionKind: missionKind,
    RuleName: ruleName,
    Preview: previewSchema,
    Conflict: conflictSchema,
    RuleResult: ruleResultSchema,
    PreflightStages: preflightStagesSchema,
    ControlAccepted: controlAcceptedSchema,
    Choice: choiceSchema,
    MissionConflict: missionConflictSchema,
    TimelineEntry: timelineEntrySchema,
    Command: commandSchema,
    BreakPoint: breakPointSchema,
    DockError: dockErrorSchema,
    ErrorCode: errorCodeSchema,
    Policy: policySchema,
    Wayline: waylineSchema,
    RouteGeoJson: routeGeoJsonSchema,
    AuditRecord: auditRecordSchema,
  },
});

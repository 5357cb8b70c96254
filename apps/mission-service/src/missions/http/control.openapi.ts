import { type RouteDescription, jsonAnswer, jsonBody, optionalJsonBody, route } from '@aerie/http-api';
import { returnToDock, why } from './mission.input.js';
import { missionId } from './missions.openapi.js';
import { controlAcceptedSchema, missionConflictSchema } from './control.schema.js';
import { CONTROLS, CONTROL_ACTIONS, type ControlAction } from '../control/controls.js';

/** The routes of ControlController, for callers: one for each row of the table of commands in flight. */
export const CONTROL_ROUTES: readonly RouteDescription[] = CONTROL_ACTIONS.map(routeOf);

function routeOf(action: ControlAction): RouteDescription {
  const { says, when, method, permission } = CONTROLS[action];
  return route({
    method: 'post',
    path: `/api/v1/missions/{id}/${action}`,
    operationId: action.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase()),
    permission,
    tag: 'control',
    summary: `${action}: ${says}`,
    description:
      `For a mission that is ${when.join(' or ')}. The dock is sent \`${method}\` once, within seconds or not at all; ` +
      'what became of it shows in the commands of the mission.',
    params: { id: missionId },
    headers: ['If-Match'],
    body:
      action === 'return-to-dock'
        ? jsonBody(returnToDock, { dockSn: '7CTDM3D00B5XYZ' })
        : optionalJsonBody(why, { reason: 'Somebody stands below.' }),
    answers: { 202: jsonAnswer('The command is recorded and on its way.', controlAcceptedSchema) },
    problems: {
      409: {
        description: '`mission_state`, with what can be asked instead, or `other_flight`: the dock flies another one.',
        schema: missionConflictSchema,
      },
      422: { description: '`invalid_input`, or `dock_cannot`: its model or protocol has no such command.' },
    },
  });
}

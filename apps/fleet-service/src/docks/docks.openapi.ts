import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import {
  dockAircraftSchema,
  dockChange,
  dockConnectionSchema,
  dockCutOffsSchema,
  dockListQuery,
  dockPageSchema,
  dockSchema,
  dockStateSchema,
  newDock,
  newPosition,
  newSerialNumber,
  registeredDockSchema,
} from './dock.schema.js';

/** The routes of DocksController, for callers. */

const tag = 'docks';
const path = '/api/v1/docks';
const params = { sn: z.string().describe('Serial number of the dock.') };

const siteIsFull = '`site_is_full`: choose another site, or make one.';

export const DOCK_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'registerDock',
    permission: 'docks.register',
    tag,
    summary: 'Register a dock',
    description: 'The answer holds the password and the binding code of the dock, this one time.',
    body: jsonBody(newDock, { sn: '7CTDM3D00B5XYZ', model: 'dock2', name: 'Roof of hall 3' }),
    answers: { 201: jsonAnswer('The dock was registered.', registeredDockSchema, ['Location']) },
    problems: {
      404: { description: '`unknown_site`: there is no such site.' },
      409: { description: `\`dock_exists\`: a dock with this serial number is registered. ${siteIsFull}` },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listDocks',
    permission: 'docks.read',
    tag,
    summary: 'List docks',
    paged: true,
    query: dockListQuery.pick({ retired: true, siteId: true }),
    answers: { 200: jsonAnswer('One page.', dockPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{sn}`,
    operationId: 'getDock',
    permission: 'docks.read',
    tag,
    summary: 'Show a dock',
    params,
    answers: { 200: jsonAnswer('The dock.', dockSchema) },
  }),
  route({
    method: 'patch',
    path: `${path}/{sn}`,
    operationId: 'correctDock',
    permission: 'docks.manage',
    tag,
    summary: 'Rename a dock, correct its model, or say at which site it is',
    description:
      'The model is for a dock that was registered as another one than it is (`modelMismatch`). Its missions fly again from then on.',
    params,
    body: jsonBody(dockChange, { name: 'Roof of hall 4' }),
    answers: { 200: jsonAnswer('The dock.', dockSchema) },
    problems: { 409: { description: siteIsFull } },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/serial-number`,
    operationId: 'correctDockSerialNumber',
    permission: 'docks.register',
    tag,
    summary: 'Correct the serial number of a dock that never connected',
    description:
      'The answer holds a new password and binding code, this one time. The wrong serial number is forgotten.',
    params,
    body: jsonBody(newSerialNumber, { sn: '7CTDM3D00B5XYZ' }),
    answers: { 200: jsonAnswer('The dock under its right serial number.', registeredDockSchema) },
    problems: {
      409: {
        description:
          '`dock_has_connected`: its serial number is right. `dock_exists`: the new one is registered. `same_sn`.',
      },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/retire`,
    operationId: 'retireDock',
    permission: 'docks.manage',
    tag,
    summary: 'Take a dock out of service',
    description:
      'Its credentials stop at the broker, its connection ends, its aircraft are released, and lists leave it out. Its ' +
      'missions and logs stay. Missions that are planned for it end as `missed`; cancel them to have their time free. ' +
      '`POST /docks` brings it back.',
    params,
    answers: { 200: jsonAnswer('The dock.', dockSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{sn}/cut-offs`,
    operationId: 'listDockCutOffs',
    permission: 'docks.read',
    tag,
    summary: 'Show when and why a dock was cut off',
    params,
    answers: { 200: jsonAnswer('The latest of them.', dockCutOffsSchema) },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/cut-off/end`,
    operationId: 'endDockCutOff',
    permission: 'docks.manage',
    tag,
    summary: 'Let a dock in again that was cut off',
    description: 'At once, instead of at `cutOff.until`. If it floods on, it is cut off again, for longer.',
    params,
    answers: { 200: jsonAnswer('The dock.', dockSchema) },
    problems: { 409: { description: '`not_cut_off`.' } },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/cut-off/keep`,
    operationId: 'keepDockCutOff',
    permission: 'docks.manage',
    tag,
    summary: 'Keep a dock out that was cut off',
    description: 'Until a person ends it; `cutOff.until` is null then. The same again changes nothing.',
    params,
    answers: { 200: jsonAnswer('The dock.', dockSchema) },
    problems: { 409: { description: '`not_cut_off`.' } },
  }),
  route({
    method: 'get',
    path: `${path}/{sn}/aircraft`,
    operationId: 'listDockAircraft',
    permission: 'docks.read',
    tag,
    summary: 'Show the aircraft of a dock',
    description: 'An aircraft follows the dock that names it last, within one organisation.',
    params,
    answers: { 200: jsonAnswer('Its aircraft, and those that came and went.', dockAircraftSchema) },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/aircraft/{aircraftSn}/release`,
    operationId: 'releaseAircraft',
    permission: 'docks.manage',
    tag,
    summary: 'Release an aircraft from a dock',
    description: 'The dock gets it back when its next topology names it.',
    params: { ...params, aircraftSn: z.string().describe('Serial number of the aircraft.') },
    answers: { 200: jsonAnswer('The dock without it.', dockSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{sn}/state`,
    operationId: 'getDockState',
    permission: 'docks.read',
    tag,
    summary: 'Show what a dock said last',
    params,
    answers: { 200: jsonAnswer('Its properties and those of its aircraft.', dockStateSchema) },
  }),
  route({
    method: 'put',
    path: `${path}/{sn}/position`,
    operationId: 'enterDockPosition',
    permission: 'docks.manage',
    tag,
    summary: 'Enter the position of a dock',
    description:
      'For a dock that does not say where it is. Missions that start without a person wait until the position is known. ' +
      'What the dock says of itself later replaces it.',
    params,
    body: jsonBody(newPosition, { latitude: 46.5197, longitude: 6.6323 }),
    answers: { 200: jsonAnswer('The dock with its position.', dockSchema) },
    problems: { 409: { description: '`position_from_dock`: the dock says its position itself.' } },
  }),
  route({
    method: 'post',
    path: `${path}/{sn}/credentials`,
    operationId: 'renewDockCredentials',
    permission: 'docks.credentials',
    tag,
    summary: 'Give a dock a new password and binding code',
    description: 'The old ones stop working.',
    params,
    answers: { 200: jsonAnswer('The new ones.', dockConnectionSchema) },
  }),
];

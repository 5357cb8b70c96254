import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { acknowledgement, alarmChange, alarmListQuery, alarmPageSchema, alarmSchema } from './alarm.schema.js';

/** The routes of AlarmsController, for callers. */

const tag = 'alarms';
const path = '/api/v1/alarms';
const params = { id: z.uuid().describe('Id of the alarm.') };
const { open, acknowledged, dockSn, deviceSn } = alarmListQuery.shape;

export const ALARM_ROUTES = [
  route({
    method: 'get',
    path,
    operationId: 'listAlarms',
    permission: 'docks.read',
    tag,
    summary: 'List alarms',
    description: 'The newest first, with those that are over.',
    paged: true,
    query: z.strictObject({ open, acknowledged, dockSn, deviceSn }),
    answers: { 200: jsonAnswer('One page.', alarmPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getAlarm',
    permission: 'docks.read',
    tag,
    summary: 'Show an alarm',
    params,
    answers: { 200: jsonAnswer('The alarm.', alarmSchema) },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/acknowledge`,
    operationId: 'acknowledgeAlarm',
    permission: 'alarms.handle',
    tag,
    summary: 'Acknowledge an alarm',
    description:
      'Says that somebody has seen it. It stays open until the device no longer has it. Who was first is kept.',
    params,
    body: jsonBody(acknowledgement, { note: 'Rain sensor cleaned' }),
    answers: { 200: jsonAnswer('The alarm.', alarmSchema) },
  }),
  route({
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'changeAlarm',
    permission: 'alarms.handle',
    tag,
    summary: 'Assign an alarm, or note something',
    params,
    body: jsonBody(alarmChange, { assignedTo: '7f1f6c1e-4a53-4c0e-9d3b-0c8f5a1d2e3f' }),
    answers: { 200: jsonAnswer('The alarm.', alarmSchema) },
    problems: { 422: { description: '`unknown_member`: `assignedTo` is nobody of this organisation.' } },
  }),
];

import type { DecodedMessage, RefusedMessage } from './decode.js';
import type { AirportBindStatus, AirportBindStatusReply } from './device/airport-bind-status.js';
import type { AirportOrganizationBind, AirportOrganizationBindReply } from './device/airport-organization-bind.js';
import type { AirportOrganizationGet, AirportOrganizationGetReply } from './device/airport-organization-get.js';
import type { ConfigReply, ConfigRequest } from './device/config.js';
import type { UpdateTopo } from './device/update-topo.js';
import type { PlainReply } from './reply.js';
import type { FlighttaskCreate } from './wayline/flighttask-create.js';
import type { FlighttaskExecute } from './wayline/flighttask-execute.js';
import type { FlighttaskPrepare } from './wayline/flighttask-prepare.js';
import type { FlighttaskProgress } from './wayline/flighttask-progress.js';
import type { FlighttaskReady } from './wayline/flighttask-ready.js';
import type { FlighttaskResourceGet, FlighttaskResourceGetReply } from './wayline/flighttask-resource-get.js';
import type { FlighttaskUndo } from './wayline/flighttask-undo.js';
import type { NoData } from './wayline/no-data.js';
import type { ReturnHomeReply } from './wayline/return-home.js';

/** The data of each command of the cloud. */
export interface ServiceData {
  readonly flighttask_create: FlighttaskCreate;
  readonly flighttask_prepare: FlighttaskPrepare;
  readonly flighttask_execute: FlighttaskExecute;
  readonly flighttask_undo: FlighttaskUndo;
  readonly flighttask_pause: NoData;
  readonly flighttask_recovery: NoData;
  readonly return_home: NoData;
  readonly return_home_cancel: NoData;
}

export type ServiceMethod = keyof ServiceData;

/** The data of each known message, by channel and method. A spec holds it against `methods.ts`. */
export interface WireData {
  readonly services: ServiceData;
  readonly services_reply: { readonly [Name in ServiceMethod]: PlainReply } & { readonly return_home: ReturnHomeReply };
  readonly events: { readonly flighttask_progress: FlighttaskProgress; readonly flighttask_ready: FlighttaskReady };
  readonly events_reply: { readonly flighttask_progress: PlainReply; readonly flighttask_ready: PlainReply };
  readonly requests: {
    readonly flighttask_resource_get: FlighttaskResourceGet;
    readonly config: ConfigRequest;
    readonly airport_bind_status: AirportBindStatus;
    readonly airport_organization_get: AirportOrganizationGet;
    readonly airport_organization_bind: AirportOrganizationBind;
  };
  readonly requests_reply: {
    readonly flighttask_resource_get: FlighttaskResourceGetReply;
    readonly config: ConfigReply;
    readonly airport_bind_status: AirportBindStatusReply;
    readonly airport_organization_get: AirportOrganizationGetReply;
    readonly airport_organization_bind: AirportOrganizationBindReply;
  };
  readonly status: { readonly update_topo: UpdateTopo };
  readonly status_reply: { readonly update_topo: PlainReply };
}

/** Narrows a decoded message to one kind, and with it the type of its data. */
export function isMessage<C extends keyof WireData, M extends keyof WireData[C] & string>(
  message: DecodedMessage | RefusedMessage,
  channel: C,
  method: M,
): message is DecodedMessage & { readonly data: WireData[C][M] } {
  return message.accepted && message.known && message.channel === channel && message.method === method;
}

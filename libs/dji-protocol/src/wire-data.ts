import type { DecodedMessage, RefusedMessage } from './decode.js';
import type { AirportBindStatus, AirportBindStatusReply } from './device/airport-bind-status.js';
import type { AirportOrganizationBind, AirportOrganizationBindReply } from './device/airport-organization-bind.js';
import type { AirportOrganizationGet, AirportOrganizationGetReply } from './device/airport-organization-get.js';
import type { ConfigReply, ConfigRequest } from './device/config.js';
import type { Hms } from './device/hms.js';
import type { UpdateTopo } from './device/update-topo.js';
import type { FileuploadList, FileuploadListReply } from './logs/fileupload-list.js';
import type { FileuploadProgress } from './logs/fileupload-progress.js';
import type { FileuploadStart } from './logs/fileupload-start.js';
import type { FileuploadUpdate } from './logs/fileupload-update.js';
import type { PlainReply } from './reply.js';
import type { FileUploadCallback } from './storage/file-upload-callback.js';
import type { StorageConfigGet, StorageConfigGetReply } from './storage/storage-config-get.js';
import type { DeviceExitHomingNotify } from './wayline/device-exit-homing-notify.js';
import type { FlightSetupExceptionNotify } from './wayline/flight-setup-exception-notify.js';
import type { FlighttaskCreate } from './wayline/flighttask-create.js';
import type { FlighttaskExecute } from './wayline/flighttask-execute.js';
import type { FlighttaskPrepare } from './wayline/flighttask-prepare.js';
import type { FlighttaskProgressGet, FlighttaskProgressGetReply } from './wayline/flighttask-progress-get.js';
import type { FlighttaskProgress } from './wayline/flighttask-progress.js';
import type { FlighttaskReady } from './wayline/flighttask-ready.js';
import type { FlighttaskResourceGet, FlighttaskResourceGetReply } from './wayline/flighttask-resource-get.js';
import type { FlighttaskStop } from './wayline/flighttask-stop.js';
import type { FlighttaskUndo } from './wayline/flighttask-undo.js';
import type { NoData } from './wayline/no-data.js';
import type { ReturnHomeInfo } from './wayline/return-home-info.js';
import type { ReturnHomeReply } from './wayline/return-home.js';
import type { ReturnSpecificHome } from './wayline/return-specific-home.js';

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
  readonly flighttask_stop: FlighttaskStop;
  readonly return_specific_home: ReturnSpecificHome;
  readonly flight_setup_abort: NoData;
  readonly fileupload_list: FileuploadList;
  readonly fileupload_start: FileuploadStart;
  readonly fileupload_update: FileuploadUpdate;
}

export type ServiceMethod = keyof ServiceData;

/** The data of each event that is known. */
export interface EventData {
  readonly flighttask_progress: FlighttaskProgress;
  readonly flighttask_ready: FlighttaskReady;
  readonly device_exit_homing_notify: DeviceExitHomingNotify;
  readonly return_home_info: ReturnHomeInfo;
  readonly flight_setup_exception_notify: FlightSetupExceptionNotify;
  readonly file_upload_callback: FileUploadCallback;
  readonly fileupload_progress: FileuploadProgress;
  readonly hms: Hms;
}

/** The data of each known message, by channel and method. A spec holds it against `methods.ts`. */
export interface WireData {
  readonly services: ServiceData;
  readonly services_reply: { readonly [Name in ServiceMethod]: PlainReply } & {
    readonly return_home: ReturnHomeReply;
    readonly fileupload_list: FileuploadListReply;
  };
  readonly events: EventData;
  readonly events_reply: { readonly [Name in keyof EventData]: PlainReply };
  readonly requests: {
    readonly flighttask_resource_get: FlighttaskResourceGet;
    readonly flighttask_progress_get: FlighttaskProgressGet;
    readonly config: ConfigRequest;
    readonly airport_bind_status: AirportBindStatus;
    readonly airport_organization_get: AirportOrganizationGet;
    readonly airport_organization_bind: AirportOrganizationBind;
    readonly storage_config_get: StorageConfigGet;
  };
  readonly requests_reply: {
    readonly flighttask_resource_get: FlighttaskResourceGetReply;
    readonly flighttask_progress_get: FlighttaskProgressGetReply;
    readonly config: ConfigReply;
    readonly airport_bind_status: AirportBindStatusReply;
    readonly airport_organization_get: AirportOrganizationGetReply;
    readonly airport_organization_bind: AirportOrganizationBindReply;
    readonly storage_config_get: StorageConfigGetReply;
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

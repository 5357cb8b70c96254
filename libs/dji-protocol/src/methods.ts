import type { z } from 'zod';
import {
  decodeAirportBindStatus,
  decodeAirportBindStatusReply,
  strictAirportBindStatusReply,
} from './device/airport-bind-status.js';
import {
  decodeAirportOrganizationBind,
  decodeAirportOrganizationBindReply,
  strictAirportOrganizationBindReply,
} from './device/airport-organization-bind.js';
import {
  decodeAirportOrganizationGet,
  decodeAirportOrganizationGetReply,
  strictAirportOrganizationGetReply,
} from './device/airport-organization-get.js';
import { decodeConfigReply, decodeConfigRequest, strictConfigReply } from './device/config.js';
import { decodeHms } from './device/hms.js';
import { decodeUpdateTopo } from './device/update-topo.js';
import { DOCK_MODELS, type DockModel, type DockProfile, type Generation } from './dock-profile.js';
import {
  decodeFileuploadList,
  decodeFileuploadListReply,
  encodeFileuploadList,
  strictFileuploadList,
  strictFileuploadListReply,
} from './logs/fileupload-list.js';
import { decodeFileuploadProgress } from './logs/fileupload-progress.js';
import { decodeFileuploadStart, encodeFileuploadStart, strictFileuploadStart } from './logs/fileupload-start.js';
import { decodeFileuploadUpdate, encodeFileuploadUpdate, strictFileuploadUpdate } from './logs/fileupload-update.js';
import type { JsonObject } from './payload.js';
import { decodePlainReply, strictPlainReply } from './reply.js';
import { decodeFileUploadCallback } from './storage/file-upload-callback.js';
import {
  decodeStorageConfigGet,
  decodeStorageConfigGetReply,
  strictStorageConfigGetReply,
} from './storage/storage-config-get.js';
import {
  baseChannelOf,
  directionOf,
  isReplyChannel,
  type BaseChannel,
  type Channel,
  type Direction,
} from './topics.js';
import { decodeDeviceExitHomingNotify } from './wayline/device-exit-homing-notify.js';
import { decodeFlightSetupAbort, encodeFlightSetupAbort } from './wayline/flight-setup-abort.js';
import { decodeFlightSetupExceptionNotify } from './wayline/flight-setup-exception-notify.js';
import { decodeFlighttaskCreate, encodeFlighttaskCreate, strictFlighttaskCreate } from './wayline/flighttask-create.js';
import {
  decodeFlighttaskExecute,
  encodeFlighttaskExecute,
  strictFlighttaskExecute,
} from './wayline/flighttask-execute.js';
import { decodeFlighttaskPause, encodeFlighttaskPause } from './wayline/flighttask-pause.js';
import {
  decodeFlighttaskPrepare,
  encodeFlighttaskPrepare,
  strictFlighttaskPrepare,
} from './wayline/flighttask-prepare.js';
import {
  decodeFlighttaskProgressGet,
  decodeFlighttaskProgressGetReply,
  strictFlighttaskProgressGetReply,
} from './wayline/flighttask-progress-get.js';
import { decodeFlighttaskProgress } from './wayline/flighttask-progress.js';
import { decodeFlighttaskReady } from './wayline/flighttask-ready.js';
import { decodeFlighttaskRecovery, encodeFlighttaskRecovery } from './wayline/flighttask-recovery.js';
import {
  decodeFlighttaskResourceGet,
  decodeFlighttaskResourceGetReply,
  strictFlighttaskResourceGetReply,
} from './wayline/flighttask-resource-get.js';
import { decodeFlighttaskStop, encodeFlighttaskStop, strictFlighttaskStop } from './wayline/flighttask-stop.js';
import { decodeFlighttaskUndo, encodeFlighttaskUndo, strictFlighttaskUndo } from './wayline/flighttask-undo.js';
import { strictNoData } from './wayline/no-data.js';
import { decodeReturnHomeCancel, encodeReturnHomeCancel } from './wayline/return-home-cancel.js';
import { decodeReturnHomeInfo } from './wayline/return-home-info.js';
import {
  decodeReturnHome,
  decodeReturnHomeReply,
  encodeReturnHome,
  strictReturnHomeReply,
} from './wayline/return-home.js';
import {
  decodeReturnSpecificHome,
  encodeReturnSpecificHome,
  strictReturnSpecificHome,
} from './wayline/return-specific-home.js';

/** The service that a message is for. */
export type MethodOwner = 'mission' | 'fleet' | 'log' | 'credential';
/** `none`: no service knows the method. `any`: a reply that does not say what it answers; its tid will. */
export type Owner = MethodOwner | 'none' | 'any';

export interface Method {
  readonly method: string;
  readonly channel: BaseChannel;
  /** Who sends the request; the reply goes the other way. */
  readonly direction: Direction;
  readonly owner: MethodOwner;
  readonly decodeRequest: z.ZodType;
  readonly decodeReply: z.ZodType;
  /** What a command must look like when it is written, in the newest generation. Only what the cloud sends has it. */
  readonly strictRequest: z.ZodType | null;
  /** What a reply must look like when it is written. */
  readonly strictReply: z.ZodType;
  /** Writes the data for one model and generation. Only what the cloud sends has it. */
  readonly encodeRequest: ((data: unknown, profile: DockProfile) => JsonObject) | null;
  readonly models: readonly DockModel[];
  readonly since: Generation;
  /** Section and message in the vendor's pages. */
  readonly source: string;
}

type Row = Pick<Method, 'method' | 'owner' | 'decodeRequest' | 'since' | 'source'> &
  Partial<Pick<Method, 'decodeReply' | 'strictReply' | 'models'>>;

/** A flight from one dock to another is documented for these. */
const LEAPFROG_MODELS: readonly DockModel[] = ['dock2', 'dock3'];
/** What a row gets that does not say otherwise. */
const PLAIN = { decodeReply: decodePlainReply, strictReply: strictPlainReply, models: DOCK_MODELS };

type Command = { readonly [Member in 'encodeRequest' | 'strictRequest']: NonNullable<Method[Member]> };

const service = (row: Row & Command): Method => ({
  ...PLAIN,
  ...row,
  channel: 'services',
  direction: directionOf('services'),
});
const uplink = (channel: BaseChannel, row: Row): Method => ({
  ...PLAIN,
  ...row,
  channel,
  direction: directionOf(channel),
  strictRequest: null,
  encodeRequest: null,
});

/** Every message that is known, once. Whoever needs to know anything about a method asks here. */
export const METHODS: readonly Method[] = [
  service({
    method: 'flighttask_create',
    owner: 'mission',
    decodeRequest: decodeFlighttaskCreate,
    strictRequest: strictFlighttaskCreate,
    encodeRequest: encodeFlighttaskCreate,
    since: '1.1',
    source: 'Wayline management, create wayline mission (deprecated since 1.3.0)',
  }),
  service({
    method: 'flighttask_prepare',
    owner: 'mission',
    decodeRequest: decodeFlighttaskPrepare,
    strictRequest: strictFlighttaskPrepare,
    encodeRequest: encodeFlighttaskPrepare,
    since: '1.3.0',
    source: 'Wayline management, deliver task',
  }),
  service({
    method: 'flighttask_execute',
    owner: 'mission',
    decodeRequest: decodeFlighttaskExecute,
    strictRequest: strictFlighttaskExecute,
    encodeRequest: encodeFlighttaskExecute,
    since: '1.3.0',
    source: 'Wayline management, execute task',
  }),
  service({
    method: 'flighttask_undo',
    owner: 'mission',
    decodeRequest: decodeFlighttaskUndo,
    strictRequest: strictFlighttaskUndo,
    encodeRequest: encodeFlighttaskUndo,
    since: '1.3.0',
    source: 'Wayline management, cancel task',
  }),
  service({
    method: 'flighttask_pause',
    owner: 'mission',
    decodeRequest: decodeFlighttaskPause,
    strictRequest: strictNoData,
    encodeRequest: encodeFlighttaskPause,
    since: '1.4',
    source: 'Wayline management, pause task',
  }),
  service({
    method: 'flighttask_recovery',
    owner: 'mission',
    decodeRequest: decodeFlighttaskRecovery,
    strictRequest: strictNoData,
    encodeRequest: encodeFlighttaskRecovery,
    since: '1.4',
    source: 'Wayline management, resume task',
  }),
  service({
    method: 'return_home',
    owner: 'mission',
    decodeRequest: decodeReturnHome,
    strictRequest: strictNoData,
    encodeRequest: encodeReturnHome,
    decodeReply: decodeReturnHomeReply,
    strictReply: strictReturnHomeReply,
    since: '1.4',
    source: 'Wayline management, return home',
  }),
  service({
    method: 'return_home_cancel',
    owner: 'mission',
    decodeRequest: decodeReturnHomeCancel,
    strictRequest: strictNoData,
    encodeRequest: encodeReturnHomeCancel,
    since: '1.4',
    source: 'Wayline management, cancel return home',
  }),
  service({
    method: 'flighttask_stop',
    owner: 'mission',
    decodeRequest: decodeFlighttaskStop,
    strictRequest: strictFlighttaskStop,
    encodeRequest: encodeFlighttaskStop,
    models: LEAPFROG_MODELS,
    since: '1.11',
    source: 'Wayline management, end task of a dock (1.11.1)',
  }),
  service({
    method: 'return_specific_home',
    owner: 'mission',
    decodeRequest: decodeReturnSpecificHome,
    strictRequest: strictReturnSpecificHome,
    encodeRequest: encodeReturnSpecificHome,
    models: LEAPFROG_MODELS,
    since: '1.11',
    source: 'Wayline management, return to a given home point (1.11.1)',
  }),
  service({
    method: 'flight_setup_abort',
    owner: 'mission',
    decodeRequest: decodeFlightSetupAbort,
    strictRequest: strictNoData,
    encodeRequest: encodeFlightSetupAbort,
    models: ['dock1'],
    since: '1.11',
    source: 'Wayline management of Dock 1, cancel a task in preparation (1.11.2)',
  }),
  service({
    method: 'fileupload_list',
    owner: 'log',
    decodeRequest: decodeFileuploadList,
    strictRequest: strictFileuploadList,
    encodeRequest: encodeFileuploadList,
    decodeReply: decodeFileuploadListReply,
    strictReply: strictFileuploadListReply,
    since: '1.2',
    source: 'Remote logs, list of files',
  }),
  service({
    method: 'fileupload_start',
    owner: 'log',
    decodeRequest: decodeFileuploadStart,
    strictRequest: strictFileuploadStart,
    encodeRequest: encodeFileuploadStart,
    since: '1.2',
    source: 'Remote logs, start the upload',
  }),
  service({
    method: 'fileupload_update',
    owner: 'log',
    decodeRequest: decodeFileuploadUpdate,
    strictRequest: strictFileuploadUpdate,
    encodeRequest: encodeFileuploadUpdate,
    since: '1.2',
    source: 'Remote logs, state of the upload',
  }),
  uplink('events', {
    method: 'flighttask_progress',
    owner: 'mission',
    decodeRequest: decodeFlighttaskProgress,
    since: '1.1',
    source: 'Wayline management, report progress',
  }),
  uplink('events', {
    method: 'flighttask_ready',
    owner: 'mission',
    decodeRequest: decodeFlighttaskReady,
    since: '1.3.2',
    source: 'Wayline management, task ready notification',
  }),
  uplink('events', {
    method: 'device_exit_homing_notify',
    owner: 'mission',
    decodeRequest: decodeDeviceExitHomingNotify,
    // The page has it from 1.3.1 on, which is no milestone of its own.
    since: '1.3.2',
    source: 'Wayline management, device left the return state (1.3.1)',
  }),
  uplink('events', {
    method: 'return_home_info',
    owner: 'mission',
    decodeRequest: decodeReturnHomeInfo,
    since: '1.7',
    source: 'Wayline management, return home information',
  }),
  uplink('events', {
    method: 'flight_setup_exception_notify',
    owner: 'mission',
    decodeRequest: decodeFlightSetupExceptionNotify,
    models: ['dock1'],
    since: '1.11',
    source: 'Wayline management of Dock 1, exception in the preparation of a task (1.11.2)',
  }),
  uplink('requests', {
    method: 'flighttask_resource_get',
    owner: 'mission',
    decodeRequest: decodeFlighttaskResourceGet,
    decodeReply: decodeFlighttaskResourceGetReply,
    strictReply: strictFlighttaskResourceGetReply,
    since: '1.3.0',
    source: 'Wayline management, get task resource',
  }),
  uplink('requests', {
    method: 'flighttask_progress_get',
    owner: 'mission',
    decodeRequest: decodeFlighttaskProgressGet,
    decodeReply: decodeFlighttaskProgressGetReply,
    strictReply: strictFlighttaskProgressGetReply,
    models: LEAPFROG_MODELS,
    since: '1.11',
    source: 'Wayline management, get task progress (1.11.1)',
  }),
  uplink('status', {
    method: 'update_topo',
    owner: 'fleet',
    decodeRequest: decodeUpdateTopo,
    since: '1.1',
    source: 'Device management, update topology',
  }),
  uplink('events', {
    method: 'hms',
    owner: 'fleet',
    decodeRequest: decodeHms,
    since: '1.1',
    source: 'HMS, health alarms',
  }),
  uplink('requests', {
    method: 'config',
    owner: 'fleet',
    decodeRequest: decodeConfigRequest,
    decodeReply: decodeConfigReply,
    strictReply: strictConfigReply,
    since: '1.3.0',
    source: 'Configuration update, get configuration',
  }),
  uplink('requests', {
    method: 'airport_bind_status',
    owner: 'fleet',
    decodeRequest: decodeAirportBindStatus,
    decodeReply: decodeAirportBindStatusReply,
    strictReply: strictAirportBindStatusReply,
    since: '1.2',
    source: 'Organization management, get binding status',
  }),
  uplink('requests', {
    method: 'airport_organization_get',
    owner: 'fleet',
    decodeRequest: decodeAirportOrganizationGet,
    decodeReply: decodeAirportOrganizationGetReply,
    strictReply: strictAirportOrganizationGetReply,
    since: '1.2',
    source: 'Organization management, get organization',
  }),
  uplink('requests', {
    method: 'airport_organization_bind',
    owner: 'fleet',
    decodeRequest: decodeAirportOrganizationBind,
    decodeReply: decodeAirportOrganizationBindReply,
    strictReply: strictAirportOrganizationBindReply,
    since: '1.2',
    source: 'Organization management, bind devices',
  }),
  uplink('events', {
    method: 'fileupload_progress',
    owner: 'log',
    decodeRequest: decodeFileuploadProgress,
    since: '1.2',
    source: 'Remote logs, progress of the upload',
  }),
  uplink('requests', {
    method: 'storage_config_get',
    owner: 'credential',
    decodeRequest: decodeStorageConfigGet,
    decodeReply: decodeStorageConfigGetReply,
    strictReply: strictStorageConfigGetReply,
    since: '1.1',
    source: 'Media management, get temporary upload credentials',
  }),
  uplink('events', {
    method: 'file_upload_callback',
    owner: 'credential',
    decodeRequest: decodeFileUploadCallback,
    since: '1.1',
    source: 'Media management, result of the upload of a media file',
  }),
];

const byChannel: ReadonlyMap<BaseChannel, ReadonlyMap<string, Method>> = new Map(
  (['services', 'events', 'requests', 'status'] as const).map((channel) => [
    channel,
    new Map(METHODS.filter((entry) => entry.channel === channel).map((entry) => [entry.method, entry])),
  ]),
);

/** The entry of a method; a reply channel finds the entry of what it answers. */
export function findMethod(channel: Channel, method: string | null): Method | null {
  const base = baseChannelOf(channel);
  if (base === null || method === null) return null;
  return byChannel.get(base)?.get(method) ?? null;
}

export function ownerOf(channel: Channel, method: string | null): Owner {
  if (baseChannelOf(channel) === null) return channel.startsWith('drc/') ? 'none' : 'fleet';
  if (method === null) return isReplyChannel(channel) ? 'any' : 'none';
  return findMethod(channel, method)?.owner ?? 'none';
}

/**
 * What an unknown request is answered: the published code for "not supported in this state". Silence would make the
 * dock wait, and a success would promise something.
 */
export const UNSUPPORTED_REQUEST_RESULT = 314000;

/** Before each take-off the dock compares maps and areas with the cloud, and waits 40 s when nobody answers. */
const NOTHING_TO_OFFER: ReadonlySet<string> = new Set(['offline_map_get', 'flight_areas_get']);

/**
 * The answer to a message that no service owns, or null when its owner answers, or nobody does. Whether an event wants
 * an answer is said by its `needReply`; a request always does.
 */
export function genericAnswer(channel: Channel, method: string | null): { readonly result: number } | null {
  if (ownerOf(channel, method) !== 'none') return null;
  if (channel === 'events') return { result: 0 };
  if (channel !== 'requests') return null;
  return { result: method !== null && NOTHING_TO_OFFER.has(method) ? 0 : UNSUPPORTED_REQUEST_RESULT };
}

import type { DockFact } from '@aerie/bus-contract';
import {
  type FileuploadListReply,
  type FileuploadProgress,
  type ListedLogs,
  type LogFileProgress,
  isBusyForLogs,
  isTerminalLogStatus,
  logInstantMs,
} from '@aerie/dji-protocol';
import {
  type Cause,
  type ListedModule,
  type LogFile,
  type LogModule,
  type Selection,
  type ToldFile,
  type UploadEvent,
  allEnded,
  chooseBoots,
} from '@aerie/log-core';
import type { CallRow } from '../store/upload-critical.js';

/** The vendor's modules by our names. Another one may come with new firmware: it is left out. */
const MODULE_OF: Readonly<Record<string, LogModule>> = { '0': 'aircraft', '3': 'dock' };

/** The words for phases of an export. This is the one table of them. */
const PHASE_OF: Readonly<Record<string, 'pulling' | 'zipping' | 'uploading'>> = {
  file_pull: 'pulling',
  file_zip: 'zipping',
  file_uploading: 'uploading',
};

const AIRCRAFT_OFF = 324_015;
const LIST_EMPTY = 324_014;

/** What a dock lists, in our words: instants in milliseconds, a reason where a module has none. */
export function listedOf(reply: FileuploadListReply): ListedModule[] {
  return (reply.files ?? []).flatMap((entry) => {
    const module = MODULE_OF[entry.module];
    return module === undefined ? [] : [{ module, problem: problemOf(entry), boots: bootsOf(entry) }];
  });
}

function problemOf(listed: ListedLogs): Cause | null {
  const result = codeOfDock(listed.result);
  if (result === 0) return null;
  if (result === AIRCRAFT_OFF) return { code: 'aircraft_off', dockResult: result };
  return { code: result === LIST_EMPTY ? 'nothing_found' : 'list_refused', dockResult: result };
}

const bootsOf = ({ list }: ListedLogs): ListedModule['boots'] =>
  list.map(({ boot_index, start_time, end_time, size }) => ({
    bootIndex: boot_index,
    startMs: instantOf(start_time),
    endMs: instantOf(end_time),
    sizeBytes: Math.min(LARGEST_BYTES, Math.max(0, Math.floor(size ?? 0))),
  }));

/** No log is that large; a dock that says so says nothing. */
const LARGEST_BYTES = 1e12;

/** Null also for what is no instant of any calendar. */
function instantOf(told: number | undefined): number | null {
  if (told === undefined) return null;
  const atMs = logInstantMs(told);
  return Number.isNaN(new Date(atMs).getTime()) ? null : atMs;
}

/** What the answer to a command means for its upload. */
export function eventOfReply(call: CallRow, data: FileuploadListReply, selection: Selection): UploadEvent | null {
  const { result: dockResult } = data;
  const { attempt } = call;
  switch (call.method) {
    case 'fileupload_list':
      if (dockResult === 0) return { type: 'listAnswered', files: chooseBoots(selection, listedOf(data)) };
      return { type: isBusyForLogs(dockResult) ? 'listDeferred' : 'listRefused', dockResult };
    case 'fileupload_start':
      if (dockResult === 0) return { type: 'startAccepted', attempt };
      return { type: isBusyForLogs(dockResult) ? 'startDeferred' : 'startRefused', attempt, dockResult };
    case 'fileupload_update':
      if (dockResult === 0) return { type: 'stopAccepted', attempt, sentAtMs: call.claimed_at.getTime() };
      return { type: 'stopRefused', attempt, dockResult };
    default:
      return null;
  }
}

/** The keys that a progress message names. */
export const keysNamed = (fact: DockFact): string[] =>
  (fact.data as FileuploadProgress).output.ext.files.flatMap(({ key }) =>
    key === undefined || key === '' ? [] : [key],
  );

/** What a progress message says of an attempt. */
export function eventOfProgress(fact: DockFact, attempt: number, files: readonly LogFile[]): UploadEvent {
  const { status, ext } = (fact.data as FileuploadProgress).output;
  const isOver = isTerminalLogStatus(status);
  const told = ext.files.flatMap((file): ToldFile[] => {
    const module = MODULE_OF[file.module];
    return module === undefined ? [] : [toldOf(module, file, isOver ? status : null)];
  });
  if (isOver || (told.length > 0 && allEnded(files, told))) return { type: 'exportEnded', attempt, files: told };
  return { type: 'exportTold', attempt, phase: PHASE_OF[status] ?? null, files: told };
}

function toldOf(
  module: LogModule,
  { key, size, fingerprint, progress }: LogFileProgress,
  jobStatus: string | null,
): ToldFile {
  const ended = [progress.status, jobStatus].find((word) => word != null && isTerminalLogStatus(word)) ?? null;
  return {
    module,
    progress: ended === null ? 'going' : ended === 'ok' ? 'ok' : 'failed',
    key: blankToNull(key),
    // Zero is what some say before they know.
    sizeBytes: size !== undefined && size > 0 ? size : null,
    fingerprint: blankToNull(fingerprint)?.toLowerCase() ?? null,
    // A dock without a total counts the present step alone (quirk L7).
    percent: progress.progress === undefined ? null : Math.min(100, Math.max(0, progress.progress)),
    dockResult: progress.result === undefined || progress.result === 0 ? null : codeOfDock(progress.result),
  };
}

const blankToNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);

/** A result code of a dock. The database keeps them as integers of 32 bits, and no published code is near: else it is -1. */
export const codeOfDock = (code: unknown): number =>
  Number.isInteger(code) && Math.abs(code as number) <= 2_147_483_647 ? (code as number) : -1;

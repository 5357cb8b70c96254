import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../payload.js';
import { pick, written } from '../strict.js';
import { MOST_ODD_BOOTS, MOST_MODULES } from '../most.js';
import { integer, list, optional, plainOr, record, renamed, text, withoutBlank, type Members } from '../tolerant.js';
import { logModule, strictLogModules, type LogModuleCode } from './log-module.js';

/** Which logs do you have? [Cloud API 1.2, fileupload_list] */
export interface FileuploadList {
  readonly module_list: readonly LogModuleCode[];
}

/** One power cycle of a device. Its index is the name of the file. */
export interface LoggedBoot {
  readonly boot_index: number;
  /** Seconds or milliseconds since the epoch (quirk L3): see `logInstantMs`. */
  readonly start_time?: number;
  readonly end_time?: number;
  /** Bytes. */
  readonly size?: number;
}

export interface ListedLogs {
  readonly module: string;
  /** Blank from some docks (quirk L8). */
  readonly device_sn?: string;
  /** 0, or why this module has none, e.g. 324015: the aircraft is off. */
  readonly result: number;
  readonly list: readonly LoggedBoot[];
}

export interface FileuploadListReply {
  readonly result: number;
  readonly files?: readonly ListedLogs[];
}

export const decodeFileuploadList: z.ZodType<FileuploadList> = record({
  module_list: list(logModule, MOST_MODULES),
}) as unknown as z.ZodType<FileuploadList>;

export const strictFileuploadList = z.object({ module_list: strictLogModules });

export const encodeFileuploadList = (data: unknown): JsonObject =>
  written('fileupload_list', strictFileuploadList, pick(data, ['module_list']));

const BOOT_NUMBERS = ['start_time', 'end_time', 'end_ime', 'size'];

/** Quirk L2: one entry of each printed example lacks a letter of `end_time`. */
const boot = record(
  { boot_index: integer, start_time: optional(integer), end_time: optional(integer), size: optional(integer) },
  (value) => renamed(withoutBlank(value, BOOT_NUMBERS), 'end_ime', 'end_time'),
);

const isPlainBoot = (value: unknown): boolean =>
  isJsonObject(value) &&
  Number.isSafeInteger(value['boot_index']) &&
  BOOT_NUMBERS.every((member) => value[member] === undefined || Number.isSafeInteger(value[member])) &&
  value['end_ime'] === undefined;
const boots = plainOr((value) => Array.isArray(value) && value.every(isPlainBoot), list(boot, MOST_ODD_BOOTS));

/** Quirk L8: the tables name no `result`, so a list without one is a success. */
const withResult = (value: Members): Members => ({ ...value, result: value['result'] ?? 0 });

const listed = record({ module: logModule, device_sn: optional(text), result: integer, list: boots }, (value) =>
  withResult({ list: [], ...withoutBlank(value, ['result', 'list']) }),
);

/** The files lie beside `result` in every page; a dock that puts them under `output` is read as well (quirk E12). */
function besideResult(value: Members): Members {
  const { output, ...rest } = value;
  if (rest['files'] !== undefined || !isJsonObject(output) || output['files'] === undefined) return value;
  return { ...rest, files: output['files'] };
}

export const decodeFileuploadListReply = record(
  { result: integer, files: optional(list(listed, MOST_MODULES)) },
  (value) => withResult(besideResult(withoutBlank(value, ['result', 'files']))),
) as z.ZodType<FileuploadListReply>;

export const strictFileuploadListReply: z.ZodType<FileuploadListReply> = z.object({
  result: z.int(),
  files: z.exactOptional(
    z.array(
      z.object({
        module: z.enum(['0', '3']),
        device_sn: z.exactOptional(z.string()),
        result: z.int(),
        list: z.array(
          z.object({
            boot_index: z.int(),
            start_time: z.exactOptional(z.int()),
            end_time: z.exactOptional(z.int()),
            size: z.exactOptional(z.int().min(0)),
          }),
        ),
      }),
    ),
  ),
});

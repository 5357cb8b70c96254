import type { z } from 'zod';
import { MOST_MODULES } from '../most.js';
import {
  decimal,
  integer,
  list,
  optional,
  record,
  renamed,
  text,
  underOutput,
  withoutBlank,
  type Members,
} from '../tolerant.js';
import { logModule } from './log-module.js';

/** The words for a job and for a file that are known; firmware may say others (quirk L9). */
export const LOG_STATUSES = [
  'sent',
  'in_progress',
  'paused',
  'file_pull',
  'file_zip',
  'file_uploading',
  'ok',
  'canceled',
  'rejected',
  'failed',
  'timeout',
] as const;
/** A known word, or whatever else a device said. */
export type LogStatus = (typeof LOG_STATUSES)[number] | (string & Record<never, never>);

const TERMINAL: ReadonlySet<string> = new Set(['ok', 'canceled', 'rejected', 'failed', 'timeout']);

/** Whether a job or a file has ended with this word. An unknown word ends nothing. */
export const isTerminalLogStatus = (status: string): boolean => TERMINAL.has(status);

/** How one archive goes. */
export interface LogFileProgress {
  readonly module: string;
  readonly device_sn?: string;
  /** Bytes. */
  readonly size?: number;
  /** Key of the object: the `object_key` of the command (quirk L10), or what old firmware chose below its prefix. */
  readonly key?: string;
  /** Hash of the archive; blank until it is uploaded. */
  readonly fingerprint?: string;
  readonly progress: {
    readonly current_step?: number;
    /** Only in the element of the dock (quirk L7). */
    readonly total_step?: number;
    /** 0 to 100 of the present step. Spelt `prgress` in the older pages (quirk L1). */
    readonly progress?: number;
    /** Milliseconds since the epoch. */
    readonly finish_time?: number;
    /** Without a documented unit. */
    readonly upload_rate?: number;
    /** 0, or the code of the failure. */
    readonly result?: number;
    readonly status?: LogStatus;
  };
}

/** How an upload of logs goes. Never asks for an answer, so the last one may be lost. [Cloud API 1.2, fileupload_progress] */
export interface FileuploadProgress {
  readonly result: number;
  readonly output: {
    readonly status: LogStatus;
    readonly ext: { readonly files: readonly LogFileProgress[] };
  };
}

const PROGRESS_NUMBERS = ['current_step', 'total_step', 'progress', 'prgress', 'finish_time', 'upload_rate', 'result'];

const progress = record(
  {
    current_step: optional(integer),
    total_step: optional(integer),
    progress: optional(decimal),
    finish_time: optional(integer),
    upload_rate: optional(decimal),
    result: optional(integer),
    status: optional(text),
  },
  (value) => renamed(withoutBlank(value, PROGRESS_NUMBERS), 'prgress', 'progress'),
);

const file = record(
  {
    module: logModule,
    device_sn: optional(text),
    size: optional(integer),
    key: optional(text),
    fingerprint: optional(text),
    progress,
  },
  (value) => ({ progress: {}, ...withoutBlank(value, ['size', 'progress']) }),
);

const ext = record({ files: list(file, MOST_MODULES) }, (value) => ({ files: [], ...withoutBlank(value, ['files']) }));

/** The table of 1.2 has no word for the whole, only files: what does not say that it has ended goes on (quirk E12). */
function withStatus(value: Members): Members {
  const isTable = value['status'] === undefined && value['ext'] !== undefined;
  return { ext: {}, ...(isTable ? { status: 'in_progress' } : {}), ...value };
}

const output = record({ status: text, ext }, (value) => withStatus(withoutBlank(value, ['ext'])));

export const decodeFileuploadProgress = record({ result: integer, output }, (value) => ({
  result: 0,
  ...underOutput(withoutBlank(value, ['result']), ['status', 'ext']),
})) as z.ZodType<FileuploadProgress>;

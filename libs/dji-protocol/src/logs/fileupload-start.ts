import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../payload.js';
import { strictStorageKeys, decodeStorageKeys, type StorageKeys } from '../storage/storage-keys.js';
import { epochMs, httpUrl, pick, serialNumber, written } from '../strict.js';
import { MOST_ODD_BOOTS, MOST_MODULES } from '../most.js';
import { integer, list, name, optional, plainOr, record, text } from '../tolerant.js';
import { logModule, type LogModuleCode } from './log-module.js';

/** The archive of one module, and what goes into it. */
export interface LogArchive {
  readonly module: LogModuleCode;
  /** Key of the object that the dock writes. Since 1.3.2; older firmware makes one below `file_store_dir`. */
  readonly object_key: string;
  readonly list: readonly { readonly boot_index: number }[];
  /** Read by firmware up to 1.3.2 (quirk L6). */
  readonly device_sn?: string;
}

/**
 * Upload these logs. Old and new firmware read different members: it is written with all of them (quirk L6).
 * [Cloud API 1.2 to 1.15, fileupload_start]
 */
export interface FileuploadStart {
  readonly bucket: string;
  /** With scheme, as the dock reaches it. */
  readonly endpoint: string;
  readonly region: string;
  readonly provider: 'ali' | 'aws' | 'minio';
  /** `expire`: milliseconds since the epoch here, as the example prints it (quirk L4). */
  readonly credentials: StorageKeys;
  /** Prefix for firmware that chooses the keys itself; ends in a slash. */
  readonly file_store_dir: string;
  readonly file_type: 'text_log';
  readonly params: { readonly files: readonly LogArchive[] };
}

const NAMES = [
  'bucket',
  'endpoint',
  'region',
  'provider',
  'credentials',
  'file_store_dir',
  'file_type',
  'params',
] as const;

const chosenBoots = plainOr(
  (value) =>
    Array.isArray(value) && value.every((entry) => isJsonObject(entry) && Number.isSafeInteger(entry['boot_index'])),
  list(record({ boot_index: integer }), MOST_ODD_BOOTS),
);

export const decodeFileuploadStart = record({
  bucket: name,
  endpoint: name,
  region: optional(text),
  provider: name,
  credentials: decodeStorageKeys,
  file_store_dir: optional(text),
  file_type: optional(text),
  params: record({
    files: list(
      record({
        module: logModule,
        object_key: optional(text),
        list: chosenBoots,
        device_sn: optional(text),
      }),
      MOST_MODULES,
    ),
  }),
}) as unknown as z.ZodType<FileuploadStart>;

export const strictFileuploadStart: z.ZodType<FileuploadStart> = z.object({
  bucket: z.string().min(3).max(63),
  endpoint: httpUrl,
  region: z.string().min(1),
  provider: z.enum(['ali', 'aws', 'minio']),
  credentials: strictStorageKeys(epochMs),
  file_store_dir: z.string().max(512).regex(/.\/$/, 'must end in a slash'),
  file_type: z.literal('text_log'),
  params: z.object({
    files: z
      .array(
        z.object({
          module: z.enum(['0', '3']),
          object_key: z.string().min(1).max(1_024),
          list: z.array(z.object({ boot_index: z.int() })).min(1),
          device_sn: z.exactOptional(serialNumber),
        }),
      )
      .min(1)
      .max(2),
  }),
});

export const encodeFileuploadStart = (data: unknown): JsonObject =>
  written('fileupload_start', strictFileuploadStart, pick(data, NAMES));

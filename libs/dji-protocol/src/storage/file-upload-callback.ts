import type { z } from 'zod';
import { bool, decimal, integer, name, optional, record, renamed, text, type Members } from '../tolerant.js';

/** Where and how a picture was taken. Files that are no pictures, such as those of PPK and RTCM, have none of it. */
export interface MediaMetadata {
  /** Degrees from north. */
  readonly gimbal_yaw_degree?: number;
  /** Metres. */
  readonly absolute_altitude?: number;
  /** Metres above the point of take-off. */
  readonly relative_altitude?: number;
  /** ISO 8601, or `yyyy-MM-dd HH:mm:ss` by the clock on the dock's wall; `created_time` in some releases (quirk D1). */
  readonly create_time?: string;
  readonly shoot_position?: { readonly lat?: number; readonly lng?: number };
}

export interface UploadedFile {
  /** Where the dock says that it lies. Nobody has checked that. */
  readonly object_key: string;
  /** Folder on the device. */
  readonly path?: string;
  readonly name?: string;
  readonly ext?: {
    /** Missing of a flight by hand, for which docks send an empty one. */
    readonly flight_id?: string;
    readonly drone_model_key?: string;
    readonly payload_model_key?: string;
    readonly is_original?: boolean;
  };
  readonly metadata?: MediaMetadata;
  readonly cloud_to_cloud_id?: string;
}

/** A file was uploaded. Docks say it again until they are answered. [Cloud API, file_upload_callback] */
export interface FileUploadCallback {
  readonly file: UploadedFile;
  /** In pages of 1.11 only (quirk D4). */
  readonly flight_task?: {
    readonly uploaded_file_count?: number;
    readonly expected_file_count?: number;
    /** 0 a mission, 1 a take-off by command. */
    readonly flight_type?: number;
  };
  readonly result?: number;
}

/** An empty text means "I have none", also where a number or an object belongs (quirk E9). */
const withoutBlanks = (value: Members): Members =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== ''));

const metadata = record(
  {
    gimbal_yaw_degree: optional(decimal),
    absolute_altitude: optional(decimal),
    relative_altitude: optional(decimal),
    create_time: optional(text),
    shoot_position: optional(record({ lat: optional(decimal), lng: optional(decimal) }, withoutBlanks)),
  },
  (value) => withoutBlanks(renamed(value, 'created_time', 'create_time')),
);

const ext = record(
  {
    flight_id: optional(text),
    drone_model_key: optional(text),
    payload_model_key: optional(text),
    is_original: optional(bool),
  },
  withoutBlanks,
);

const BESIDE_FILE: readonly string[] = ['flight_task', 'result', 'progress'];

/** Up to 1.3.1 the members of the file lie directly under data (quirk D3). */
function underFile(value: Members): Members {
  if (value['file'] !== undefined || value['object_key'] === undefined) return value;
  const beside: Record<string, unknown> = {};
  const file: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) (BESIDE_FILE.includes(key) ? beside : file)[key] = member;
  return { ...beside, file };
}

export const decodeFileUploadCallback: z.ZodType<FileUploadCallback> = record(
  {
    file: record(
      {
        object_key: name,
        path: optional(text),
        name: optional(text),
        ext: optional(ext),
        metadata: optional(metadata),
        cloud_to_cloud_id: optional(text),
      },
      withoutBlanks,
    ),
    flight_task: optional(
      record({
        uploaded_file_count: optional(integer),
        expected_file_count: optional(integer),
        flight_type: optional(integer),
      }),
    ),
    result: optional(integer),
  },
  (value) => underFile(withoutBlanks(value)),
);

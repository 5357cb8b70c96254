import { z } from 'zod';
import type { JsonObject } from '../payload.js';
import { pick, written } from '../strict.js';
import { MOST_MODULES } from '../most.js';
import { list, name, record } from '../tolerant.js';
import { logModule, strictLogModules, type LogModuleCode } from './log-module.js';

/** Ends an upload of logs; a cancel is all that there is. [Cloud API 1.2, fileupload_update] */
export interface FileuploadUpdate {
  readonly status: 'cancel';
  readonly module_list: readonly LogModuleCode[];
}

export const decodeFileuploadUpdate = record({
  status: name,
  module_list: list(logModule, MOST_MODULES),
}) as unknown as z.ZodType<FileuploadUpdate>;

export const strictFileuploadUpdate = z.object({ status: z.literal('cancel'), module_list: strictLogModules });

export const encodeFileuploadUpdate = (data: unknown): JsonObject =>
  written('fileupload_update', strictFileuploadUpdate, pick(data, ['status', 'module_list']));

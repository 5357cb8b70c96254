import { instantInput, listSchema, pageSchema, queryFlag, spanInOrder } from '@aerie/http-api';
import { LOG_MODULES } from '@aerie/log-core';
import { z } from 'zod';
import { instant, instantOrNull } from '../uploads/store/fields.schema.js';
import { dockSn } from '../uploads/upload.input.js';

/** Query of GET /log-files. */
export const fileQuery = z
  .object({
    dockSn: dockSn.optional().describe('Only files of this dock.'),
    uploadId: z.uuid().optional().describe('Only files of this upload.'),
    missionId: z.uuid().optional().describe('Only files attached to this mission.'),
    module: z.enum(LOG_MODULES).optional().describe('Only logs of the station, or of the aircraft.'),
    from: instantInput.optional().describe('Stored at or after this instant. RFC 3339.'),
    until: instantInput.optional().describe('Stored before this instant. RFC 3339.'),
    deleted: queryFlag
      .default(false)
      .describe('Whether files are told, too, whose content the retention policy has deleted. Default: false.'),
  })
  .check(spanInOrder);

export const fileSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the file.'),
    uploadId: z.uuid().describe('The upload that brought it.'),
    dockSn: z.string().describe('The dock.'),
    deviceSn: z.string().nullable().describe('The device whose logs they are; null where it is not known.'),
    module: z.enum(LOG_MODULES).describe('Whose logs.'),
    missionId: z.uuid().nullable().describe('The mission that it is attached to.'),
    attempt: z.int().describe('The attempt that brought it.'),
    bootIndexes: z.array(z.int()).describe('The power cycles in it.'),
    objectKey: z.string().describe('Key of the object in the storage of the organisation.'),
    sizeBytes: z.number().describe('Bytes, as the storage says.'),
    fingerprint: z.string().nullable().describe('Hash as the dock reported it.'),
    sha256: z.string().nullable().describe('Of the content, where it was read to verify it. Hexadecimal.'),
    verifiedBy: z
      .enum(['fingerprint', 'size', 'presence'])
      .describe(
        'How sure it is: by the hash of its content, by its size, or only because it is there, as objects are whole or not.',
      ),
    storedAt: instant('When it was verified.'),
    deletedAt: instantOrNull('When the retention policy deleted its content.'),
  })
  .describe('An archive of logs in the storage.');
export const filePageSchema = pageSchema(fileSchema, 'Newest first.');

export const downloadSchema = z
  .strictObject({
    url: z
      .string()
      .describe('Fetched by a plain GET; a browser saves it under `saveAs`. A secret for as long as it works.'),
    expiresAt: instant('Until when it works.'),
    saveAs: z.string().describe('Name of the file.'),
  })
  .describe('How to download one file.');

/** Body of POST /log-files/bundle. */
export const newBundle = z.strictObject({
  fileIds: z
    .array(z.uuid())
    .min(1)
    .max(50)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name a file twice')
    .describe('The files to pack.'),
});

export const usageSchema = listSchema(
  z
    .strictObject({
      dockSn: z.string().describe('The dock.'),
      files: z.int().describe('How many files are kept.'),
      sizeBytes: z.number().describe('Their size, bytes.'),
      lastStoredAt: instant('When the last one came.'),
    })
    .describe('What is kept of one dock.'),
  'Largest first, 1,000 at most.',
);

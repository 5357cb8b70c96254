import { z } from 'zod';

/** As S3 takes it in one request. [S3, PutObject] */
const MOST_BYTES = 5 * 1024 ** 3;

/** The body of `POST /storage/uploads`. */
export const uploadInput = z.strictObject({
  method: z
    .enum(['PUT', 'POST'])
    .default('PUT')
    .describe('PUT: one request with the file as its body; not for ali. POST: a form, as browsers send it.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must have 1 to 128 letters, digits, ".", "_" or "-"')
    .describe('Name of the file, the last part of its key.'),
  contentType: z
    .string()
    .regex(/^[a-z]+\/[a-z0-9.+-]{1,100}$/, 'must be a media type')
    .describe('Media type that the file is stored with.'),
  sizeBytes: z.int().min(1).max(MOST_BYTES).describe('Size of the file, bytes; no other is taken.'),
  lifetimeSeconds: z.int().min(30).max(86_400).default(900).describe('How long the address works, seconds.'),
});
export type UploadRequest = z.output<typeof uploadInput>;

export const uploadSchema = z
  .strictObject({
    method: z.enum(['PUT', 'POST']).describe('How to send the file.'),
    url: z.string().describe('Where to send it. A secret for as long as it works.'),
    fields: z
      .record(z.string(), z.string())
      .describe('For PUT: headers to send with it. For POST: fields of the form, before the field `file`.'),
    objectKey: z.string().describe('The key under which it will lie.'),
    expiresAt: z.iso.datetime().describe('Until when it works.'),
  })
  .describe('How to upload one object.');
export type Upload = z.output<typeof uploadSchema>;

/** The body of `POST /storage/downloads`. */
export const downloadInput = z.strictObject({
  objectKey: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^\P{Surrogate}*$/u, 'must be text')
    .describe('Key of the object, below org/ and the id of the organisation.'),
  saveAs: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\u0000-\u001f\u007f/\\\p{Surrogate}]+$/u, 'must be the name of a file')
    .optional()
    .describe('Makes a browser save it under this name. Default: the last part of the key.'),
  lifetimeSeconds: z.int().min(30).max(86_400).default(900).describe('How long the address works, seconds.'),
});

export const downloadSchema = z
  .strictObject({
    url: z.string().describe('Fetched by a plain GET. A secret for as long as it works.'),
    expiresAt: z.iso.datetime().describe('Until when it works.'),
  })
  .describe('How to download one object.');

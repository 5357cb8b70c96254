import { z } from 'zod';

/** What log-service tells others, on `log.v1.<organisation>.<event>`. Instants are RFC 3339 in UTC. */

/** The states of a log upload, as they are called on the bus. A spec of log-service holds them against its own. */
export const logUploadStateName = z.enum([
  'requested',
  'listing',
  'listed',
  'starting',
  'pulling',
  'zipping',
  'uploading',
  'stopping',
  'verifying',
  'stored',
  'partly_stored',
  'failed',
  'canceled',
  'timed_out',
]);

const upload = {
  uploadId: z.uuid().describe('The log upload.'),
  dockSn: z.string().describe('Serial number of its dock.'),
};

/** A log upload went from one state to another. */
export const logUploadStateChanged = z.object({
  ...upload,
  missionId: z.uuid().nullable().describe("The mission whose logs they are; null where they are no mission's."),
  campaignId: z.uuid().nullable().describe('The campaign that it belongs to; null where it belongs to none.'),
  from: logUploadStateName.describe('State before.'),
  to: logUploadStateName.describe('State after.'),
  revision: z.int().describe('Grows with every decision on the upload; says which of two facts is newer.'),
  cause: z
    .object({
      code: z.string().describe('Stable word for why, e.g. objects_missing.'),
      dockResult: z.int().optional().describe("The dock's own result code, where it gave one."),
    })
    .nullable()
    .describe('Why it ended, or why it waits. Null: neither.'),
  at: z.iso.datetime().describe("When it was decided, by the database's clock. RFC 3339, UTC."),
});
export type LogUploadStateChanged = z.infer<typeof logUploadStateChanged>;

/** A file is in the storage, and was looked at there. */
export const logFileStored = z.object({
  ...upload,
  fileId: z.uuid().describe('The file.'),
  missionId: z.uuid().nullable().describe("The mission whose logs they are; null where they are no mission's."),
  module: z.enum(['dock', 'aircraft']).describe('Whose logs they are.'),
  objectKey: z.string().describe('Key of the object in the storage.'),
  sizeBytes: z.number().describe('Its size, bytes.'),
});
export type LogFileStored = z.infer<typeof logFileStored>;

/** A campaign went from one state to another. */
export const logCampaignStateChanged = z.object({
  campaignId: z.uuid().describe('The campaign.'),
  from: z.string().describe('State before.'),
  to: z.string().describe('State after.'),
  cause: z.string().nullable().describe('Why; null where a person did it, or it has ended.'),
  at: z.iso.datetime().describe("When, by the database's clock. RFC 3339, UTC."),
});
export type LogCampaignStateChanged = z.infer<typeof logCampaignStateChanged>;

/** A dock claims to have written where it had no leave to. Nothing of it was taken over. */
export const logAlarm = z.object({
  ...upload,
  claimedKey: z.string().describe('The key that the dock named, at most 500 characters.'),
  expectedPrefix: z.string().describe('Where its keys work.'),
});
export type LogAlarm = z.infer<typeof logAlarm>;

/** Every fact of log-service, by the last part of its subject. */
export const LOG_FACTS = {
  uploadStateChanged: logUploadStateChanged,
  fileStored: logFileStored,
  campaignStateChanged: logCampaignStateChanged,
  alarm: logAlarm,
} as const;
export type LogFactName = keyof typeof LOG_FACTS;

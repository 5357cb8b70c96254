import { z } from 'zod';

export const issueSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the entry.'),
    kind: z
      .enum(['keys', 'download', 'upload'])
      .describe('keys: a set of keys for a dock. download, upload: an address of one object.'),
    dockSn: z.string().nullable().describe('Whose dock it was for; null where it was for none.'),
    objectPrefix: z
      .string()
      .describe('Of keys: the prefix below which they work. Of an address: the key of the object.'),
    actions: z.array(z.string()).describe("What it allows, in the provider's words."),
    provider: z.string().describe('aws, ali or s3.'),
    storageVersion: z.int().describe('`version` of the storage at that time; 0: that of the deployment.'),
    accessKeyId: z
      .string()
      .nullable()
      .describe("Id of the keys, as the provider's own log names them; null of an address."),
    askedBy: z.string().describe('`dock:<sn>`, `key:<id of an API key>`, `person:<id>` or `service:<name>`.'),
    reason: z.string().describe('What it was for.'),
    issuedAt: z.iso.datetime().describe('When it was given out.'),
    expiresAt: z.iso.datetime().describe('Until when it works.'),
  })
  .describe('One entry of the ledger: something that opened the storage for a while. Never what opened it.');
export type IssueView = z.output<typeof issueSchema>;

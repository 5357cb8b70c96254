import { z } from 'zod';
import type { DenialSupport } from '../providers/storage.provider.js';
import { type ChosenStorage, PROVIDERS } from './storage.js';

export const storageSchema = z
  .strictObject({
    chosenBy: z.enum(['organisation', 'deployment']).describe('Whose decision it is.'),
    provider: z.enum(PROVIDERS).describe('Which kind of storage it is.'),
    dockEndpoint: z.string().describe('The storage as docks reach it.'),
    serviceEndpoint: z.string().nullable().describe("The storage as Aerie reaches it; null for the deployment's."),
    stsEndpoint: z.string().nullable().describe('Where keys are made; null: where the provider has it.'),
    iamEndpoint: z
      .string()
      .nullable()
      .describe('Where policies are changed; null: where the provider has it, if at all.'),
    region: z.string().describe('Region that signatures name.'),
    bucket: z.string().describe('The bucket.'),
    pathStyle: z.boolean().describe('Whether the bucket is in the path of URLs, not in their host.'),
    roleArn: z.string().nullable().describe("The role that keys are cut from; null for the deployment's."),
    externalId: z.string().nullable().describe('What the trust of the role asks for.'),
    accessKeyId: z
      .string()
      .nullable()
      .describe("Key that assumes the role; null for the deployment's. Never its secret."),
    lifetimeSeconds: z.int().describe('Life of keys for media, seconds.'),
    revocation: z
      .strictObject({
        supported: z.boolean().describe('Whether keys can be called back before they end.'),
        reason: z.string().nullable().describe('Why not.'),
      })
      .describe('Whether `POST /storage/revoke` works here.'),
    version: z.int().describe('Grows with every change; for `If-Match`. 0: that of the deployment.'),
  })
  .describe('Where what the docks of the organisation upload is kept.');
export type StorageView = z.output<typeof storageSchema>;

/** What the operator of the deployment has set is shown as far as docks see it too. */
export function storageView({ storage, chosenBy, version }: ChosenStorage, denial: DenialSupport): StorageView {
  const own = chosenBy === 'organisation';
  return {
    chosenBy,
    provider: storage.provider,
    dockEndpoint: storage.dockEndpoint,
    serviceEndpoint: own ? storage.serviceEndpoint : null,
    stsEndpoint: own ? storage.stsEndpoint : null,
    iamEndpoint: own ? storage.iamEndpoint : null,
    region: storage.region,
    bucket: storage.bucket,
    pathStyle: storage.pathStyle,
    roleArn: own ? storage.roleArn : null,
    externalId: own ? storage.externalId : null,
    accessKeyId: own ? storage.accessKeyId : null,
    lifetimeSeconds: storage.lifetimeSeconds,
    revocation: { supported: denial.supported, reason: denial.supported ? null : denial.reason },
    version,
  };
}

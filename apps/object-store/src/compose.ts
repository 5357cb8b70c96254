import type { Clock, Secret } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { Authorizer } from './access/authorizer.js';
import { Identities } from './access/credentials.js';
import { SessionTokens } from './access/session-tokens.js';
import { SignatureCheck } from './access/signature.js';
import { Cors } from './s3/cors.js';
import type { Limits } from './s3/exchange.js';
import { FormUpload } from './s3/operations/form-upload.js';
import { S3Server } from './s3/s3-server.js';
import { DiskStore } from './storage/disk-store.js';
import { UploadStore } from './storage/upload-store.js';
import { AssumeRole } from './sts/assume-role.js';
import { FormServer } from './sts/form-server.js';
import type { Role } from './sts/role.js';
import { RoleStore } from './sts/role-store.js';

export interface StoreOptions {
  readonly directory: string;
  readonly buckets: readonly string[];
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly roles: readonly Role[];
  readonly corsOrigins: readonly string[];
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observe: (method: string, status: number) => void;
}

export interface ObjectStore {
  readonly server: S3Server;
  readonly store: DiskStore;
  readonly uploads: UploadStore;
}

/** Wires the store, over what lies in its directory. */
export async function composeStore(options: StoreOptions): Promise<ObjectStore> {
  const { directory, region, clock, logger, observe, limits } = options;
  const store = await DiskStore.open(directory, options.buckets);
  const uploads = await UploadStore.open(directory, store, clock);
  const roles = await RoleStore.open(directory, options.roles);
  const tokens = new SessionTokens(options.secretAccessKey);
  const identities = new Identities(options, tokens, clock);
  const signatures = new SignatureCheck(identities, region, clock);
  const services = { store, uploads, authorizer: new Authorizer(roles, clock), limits, region };
  const assumeRole = new AssumeRole(roles, tokens, clock);
  const server = new S3Server({
    services,
    signatures,
    formUpload: new FormUpload(services, signatures, clock),
    forms: new FormServer({ signatures, roles, assumeRole, logger }),
    cors: new Cors(options.corsOrigins),
    clock,
    logger,
    observe,
  });
  return { server, store, uploads };
}

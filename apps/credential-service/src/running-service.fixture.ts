import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DockRecord, type Principal, ROLES, docksQuestion, principalQuestion } from '@aerie/bus-contract';
import { type AuditIntake, AuditTrail, configureHttp } from '@aerie/http-api';
import { holderOf, keysOfRoles } from '@aerie/http-api/testing';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { createLogger } from '@aerie/observability';
import { migratedDatabase } from '@aerie/persistence/testing';
import { Intake } from '@aerie/service-host';
import { startInProcess } from '@aerie/service-host/testing';
import { type Closers, type PrivateStorage, startAll, startPrivateNats, startPrivateStorage } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { MIGRATIONS, SCHEMA, credentialDatabase } from './database.js';
import { ROUTES } from './openapi/credential-api.js';

export const ORGANISATION = '11111111-1111-4111-8111-111111111111';
export const OTHER_ORGANISATION = '22222222-2222-4222-8222-222222222222';
export const API_KEY = 'a-good-key';
export const OTHER_API_KEY = 'the-key-of-others';

const PRINCIPALS: Readonly<Record<string, Principal>> = {
  [API_KEY]: { keyId: 'key-1', organisationId: ORGANISATION, roles: ROLES, siteIds: null, dockSns: null },
  [OTHER_API_KEY]: { keyId: 'key-2', organisationId: OTHER_ORGANISATION, roles: ROLES, siteIds: null, dockSns: null },
  ...keysOfRoles(ORGANISATION),
};

export interface Replica {
  readonly url: string;
  readonly audit: AuditIntake;
  readonly intake: Intake;
}

export interface RunningService {
  readonly url: string;
  readonly audit: AuditIntake;
  /** How the service reaches its database. */
  readonly settings: Readonly<Record<string, string>>;
  readonly intake: Intake;
  readonly storage: PrivateStorage;
  readonly dataSource: DataSource;
  /** May do what no role of the service may. */
  readonly owner: DataSource;
  /** For questions to the service. */
  readonly nats: NatsConnection;
  /** One more process of the service, on the same database and storage. */
  replica(): Promise<Replica>;
  stop(): Promise<void>;
}

/** What begins with AIR is an aircraft, and what begins with NOBODY is not registered. */
const isDock = (sn: string): boolean => !/^(AIR|NOBODY)/.test(sn);
const aDock = (sn: string): DockRecord => ({
  ...{ sn, organisationId: ORGANISATION, model: 'dock2', protocolGeneration: '1.15', name: sn, aircraftSn: null },
});

const logger = createLogger('credential-spec', 'silent');

/** The whole service on a database, a NATS and a storage of its own. Of fleet-service only the answers are there. */
export const startService = (env: Readonly<Record<string, string>> = {}): Promise<RunningService> =>
  startAll((closers) => start(closers, env));

async function start(closers: Closers, env: Readonly<Record<string, string>>): Promise<Omit<RunningService, 'stop'>> {
  const openForMigrations = (url: string): DataSource => credentialDatabase(url, logger, 'work');
  const database = await migratedDatabase({ schema: SCHEMA, migrations: MIGRATIONS, openForMigrations, pools: 1 });
  closers.push(() => database.drop());
  const storage = await startPrivateStorage({
    roleActions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
  });
  closers.push(() => storage.remove());
  const bus = await startPrivateNats();
  closers.push(() => bus.remove());
  const nats = await connectNats(bus.url, 'others', logger);
  closers.push(() => nats.close());
  answer(nats, docksQuestion, ({ sns }) => ({ docks: sns.filter(isDock).map(aDock) }));
  answer(nats, principalQuestion, ({ key }) => ({ principal: holderOf(PRINCIPALS[key]) }));
  const directory = mkdtempSync(path.join(tmpdir(), 'aerie-credential-'));
  closers.push(() => rmSync(directory, { recursive: true }));
  const keyFile = path.join(directory, 'keys');
  writeFileSync(keyFile, `spec ${randomBytes(32).toString('base64')}\n`);

  const replica = async (): Promise<Replica> => {
    const config = loadConfig({
      CREDENTIAL_HTTP_PORT: '0',
      CREDENTIAL_GRPC_PORT: '0',
      CREDENTIAL_KEY_FILE: keyFile,
      CREDENTIAL_PRIVATE_ENDPOINTS: 'allowed',
      ...database.settings,
      NATS_URL: bus.url,
      S3_ENDPOINT: storage.url,
      IAM_ENDPOINT: storage.url,
      S3_BUCKET: storage.bucket,
      S3_ACCESS_KEY_ID: storage.accessKeyId,
      S3_SECRET_ACCESS_KEY: storage.secretAccessKey,
      STS_ROLE_ARN: storage.roleArn,
      ...env,
    });
    const { url, app } = await startInProcess(closers, {
      ...{ name: 'credential-service', logger, nats: bus.url },
      compose: (host) => AppModule.compose(config, host),
      http: (application) => configureHttp(application, logger, ROUTES),
    });
    return { url, intake: app.get(Intake), audit: app.get<AuditIntake>(AuditTrail) };
  };
  const [dataSource] = database.pools as [DataSource];
  return {
    ...(await replica()),
    storage,
    dataSource,
    owner: database.owner,
    settings: { ...database.settings },
    nats,
    replica,
  };
}

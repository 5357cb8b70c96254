import { type DynamicModule, Module } from '@nestjs/common';
import {
  ApiKeys,
  RequestLimits,
  RoutePermissions,
  limitsOf,
  RemoteApiKeys,
  AuditIntake,
  AuditRecords,
  AuditTrail,
  auditControllerAt,
} from '@aerie/http-api';
import { DeadLetters, JetStreamPublisher, connectNats, examineNats } from '@aerie/messaging';
import {
  ApiDatabase,
  Retention,
  awaitSchema,
  engineOf,
  examineDatabase,
  openDatabase,
  showPools,
} from '@aerie/persistence';
import { BootChecks, type Host, Intake, RefusalFilter, Sweeper, hostModule, showSweepers } from '@aerie/service-host';
import { ClaimUpload } from './claims/claim-upload.js';
import { ClaimStore } from './claims/claim.store.js';
import { type Config, deploymentStorageOf } from './config.js';
import { SCHEMA, credentialDatabase } from './database.js';
import { AnswerStorageConfig } from './dock/answer-storage-config.js';
import { DockConsumer } from './dock/dock.consumer.js';
import { docksBy } from './dock/docks.js';
import { Readiness } from './doctor/readiness.js';
import { RunDoctor } from './doctor/run-doctor.js';
import { PresignDownload } from './downloads/presign-download.js';
import { CredentialGrpcController } from './grpc/credential.grpc.controller.js';
import { IssueUploadKeys } from './keys/issue-upload-keys.js';
import { Ledger } from './ledger/ledger.js';
import { LedgerController } from './ledger/ledger.controller.js';
import { StoredObjects } from './objects/stored-objects.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ROUTES } from './openapi/credential-api.js';
import { QuestionsController } from './questions.controller.js';
import { credentialPrunes } from './retention.js';
import { RevokeKeys } from './revocation/revoke-keys.js';
import { FileKeyRing } from '@aerie/sealing';
import { ChangeStorage } from './storages/change-storage.js';
import { Outbound } from '@aerie/outbound';
import { StorageController } from './storages/storage.controller.js';
import { StorageStore } from './storages/storage.store.js';
import { Storages } from './storages/storage-access.js';
import { PresignUpload } from './uploads/presign-upload.js';
import { TransfersController } from './uploads/transfers.controller.js';

/** Every route of the API is in one of these; openapi/credential-api.ts tells callers about each. */
export const CONTROLLERS = [
  StorageController,
  LedgerController,
  TransfersController,
  OpenApiController,
  auditControllerAt('api/v1/storage-audit'),
] as const;

const MINUTE_MS = 60_000;
/** Seconds later than asked is soon enough to read about it. */
const AUDIT_EVERY_MS = 1_000;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics, shutdown } = host;
    const keyRing = FileKeyRing.read('CREDENTIAL_KEY_FILE', config.CREDENTIAL_KEY_FILE);
    const deployment = deploymentStorageOf(config);
    const checks = new BootChecks(logger);
    shutdown.on('intake', 'boot checks', async () => checks.stop());
    const pool = await openDatabase(credentialDatabase(config.DATABASE_URL, logger, 'api'), logger);
    const api = new ApiDatabase(pool);
    const engine = await openDatabase(credentialDatabase(engineOf(config, SCHEMA), logger, 'work'), logger);
    checks.examine('PostgreSQL', () => examineDatabase([pool, engine]));
    const streamReplicas = config.NATS_STREAM_REPLICAS;
    const nats = await connectNats(config.NATS_URL, 'credential-service', logger, { streamReplicas });
    checks.examine('NATS', () => examineNats(nats));
    await checks.settle();
    await awaitSchema(pool, logger);
    const audit = new AuditIntake({ api, engine: engine }, SCHEMA, logger);
    showPools(metrics, { api: pool, work: engine });
    const clock = { nowMs: () => Date.now() };
    const outbound = new Outbound(config.CREDENTIAL_PRIVATE_ENDPOINTS === 'allowed', config.S3_CA_FILE);
    const trusted = new Outbound(true, config.S3_CA_FILE);

    const storages = new Storages({
      store: new StorageStore(api, keyRing, deployment),
      ...{ clock, random: Math.random, outbound, trusted, metrics },
    });
    const ledger = new Ledger({ api, engine }, logger);
    const issueUploadKeys = new IssueUploadKeys(storages, ledger);
    const revokeKeys = new RevokeKeys({ api, engine }, storages, docksBy(nats), logger);
    const browserOrigin = config.CREDENTIAL_BROWSER_ORIGIN ?? null;
    const doctor = new RunDoctor({ storages, outbound, trusted, browserOrigin, clock });
    const readiness = new Readiness(doctor, logger);
    const claims = new ClaimStore(engine);
    const retention = new Retention({ dataSource: engine, prunes: credentialPrunes(config), logger, metrics });
    const sweepers = [
      { name: 'audit', everyMs: AUDIT_EVERY_MS, run: () => audit.keep() },
      { name: 'keys to be called back', everyMs: 2_000, run: () => revokeKeys.sweep() },
      { name: 'retention', everyMs: MINUTE_MS, run: (stopping: AbortSignal) => retention.run(stopping) },
    ].map((chore) => new Sweeper(chore, logger));
    showSweepers(metrics, sweepers);
    const consumer = new DockConsumer({
      connection: nats,
      answerStorageConfig: new AnswerStorageConfig({ issueUploadKeys, clock, logger }),
      claimUpload: new ClaimUpload({ store: claims, logger, metrics }),
      deadLetters: new DeadLetters(new JetStreamPublisher(nats, 2_000), metrics),
      logger,
    });
    const intake = new Intake(
      () => {
        ledger.start();
        for (const sweeper of sweepers) sweeper.start();
        consumer.start();
        readiness.start();
      },
      () =>
        pool.isInitialized &&
        engine.isInitialized &&
        !nats.isClosed() &&
        (readiness.ready || 'waiting for a storage that can be used'),
    );

    shutdown.on('intake', 'dock consumer', () => consumer.stop());
    shutdown.on('intake', 'doctor', () => readiness.stop());
    shutdown.on('work', 'sweepers', () => Promise.all(sweepers.map((sweeper) => sweeper.stop())));
    shutdown.on('connections', 'NATS', () => nats.drain());
    shutdown.on('storage', 'ledger and database', async () => {
      await ledger.stop();
      await Promise.all([pool.destroy(), engine.destroy()]);
    });
    shutdown.on('storage', 'storages', async () => storages.stop());
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [...CONTROLLERS, QuestionsController, CredentialGrpcController],
      providers: [
        { provide: ApiKeys, useValue: new RemoteApiKeys(nats) },
        { provide: RoutePermissions, useValue: new RoutePermissions(ROUTES) },
        { provide: RequestLimits, useValue: limitsOf(config) },
        { provide: AuditTrail, useValue: audit },
        { provide: AuditRecords, useValue: new AuditRecords(api, SCHEMA) },
        { provide: Storages, useValue: storages },
        { provide: ChangeStorage, useValue: new ChangeStorage(storages) },
        { provide: Outbound, useValue: outbound },
        { provide: RunDoctor, useValue: doctor },
        { provide: Ledger, useValue: ledger },
        { provide: IssueUploadKeys, useValue: issueUploadKeys },
        { provide: RevokeKeys, useValue: revokeKeys },
        { provide: PresignDownload, useValue: new PresignDownload(storages, ledger, clock) },
        { provide: StoredObjects, useValue: new StoredObjects(storages) },
        { provide: PresignUpload, useValue: new PresignUpload(storages, ledger, clock) },
        { provide: Intake, useValue: intake },
        RefusalFilter,
      ],
    };
  }
}

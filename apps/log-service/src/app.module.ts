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
import { BullWakes, InstantWakes, examineRedis } from '@aerie/job-queue';
import {
  REDIS_KEYS,
  WAKE_QUEUES,
  LOG_EVENTS_CONSUMER,
  LOG_REPLIES_CONSUMER,
  retiredConsumersOf,
} from '@aerie/bus-contract';
import { Backlog, DeadLetters, JetStreamPublisher, connectNats, examineNats } from '@aerie/messaging';
import {
  ApiDatabase,
  OutboxRelay,
  Retention,
  awaitSchema,
  engineOf,
  examineDatabase,
  ofAnyOrganisation,
  openDatabase,
  showOutbox,
  showPools,
} from '@aerie/persistence';
import { BootChecks, type Host, Intake, Sweeper, hostModule, showSweepers } from '@aerie/service-host';
import { CollectForMission } from './automatic/collect-for-mission.js';
import { FactsConsumer } from './automatic/facts.consumer.js';
import { CampaignReadModel } from './campaigns/campaign.read-model.js';
import { CampaignsController } from './campaigns/campaigns.controller.js';
import { ControlCampaign } from './campaigns/control-campaign.js';
import { CreateCampaign } from './campaigns/create-campaign.js';
import { RunCampaigns } from './campaigns/run-campaigns.js';
import { type Config, timingOf } from './config.js';
import { SCHEMA, logDatabase } from './database.js';
import { DeleteOldFiles } from './files/delete-old-files.js';
import { DownloadFile } from './files/download-file.js';
import { FileReadModel } from './files/file.read-model.js';
import { ReadObject } from './files/read-object.js';
import { FilesController } from './files/files.controller.js';
import { WriteBundle } from './files/write-bundle.js';
import { AskForList } from './listings/ask-for-list.js';
import { ListingsController } from './listings/listings.controller.js';
import { CampaignsGrpcController } from './grpc/campaigns.grpc.controller.js';
import { UploadsGrpcController } from './grpc/uploads.grpc.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ROUTES } from './openapi/log-api.js';
import { ChangePolicy } from './policy/change-policy.js';
import { PolicyController } from './policy/policy.controller.js';
import { PolicyStore } from './policy/policy.store.js';
import { CancelUpload } from './uploads/cancel-upload.js';
import { CheckObjects } from './uploads/checking/check-objects.js';
import { HashObject } from './uploads/checking/hash-object.js';
import { DockCommands } from './uploads/dock/dock-commands.js';
import { DockConsumer } from './uploads/dock/dock.consumer.js';
import { LookAtDocks } from './uploads/dock/look-at-docks.js';
import { AfterCommit } from './uploads/effects/after-commit.js';
import { ReleaseDocks } from './uploads/effects/release-docks.js';
import { RequestUpload } from './uploads/request-upload.js';
import { UploadReadModel } from './uploads/store/upload.read-model.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { DueRunner } from './uploads/wakes/due-runner.js';
import { logPrunes } from './retention/prunes.js';

/** Every route of the API is in one of these; openapi/log-api.ts tells callers about each. */
export const CONTROLLERS = [
  // Before the uploads, whose ids are under the same path.
  OpenApiController,
  ListingsController,
  UploadsController,
  FilesController,
  CampaignsController,
  PolicyController,
  auditControllerAt('api/v1/log-audit'),
] as const;

/** Wakes that are handled at once; each only asks for the next look. */
const WAKE_CONCURRENCY = 2;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Seconds later than asked is soon enough to read about it. */
const AUDIT_EVERY_MS = 1_000;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics, shutdown } = host;
    const timing = timingOf(config);
    const checks = new BootChecks(logger);
    shutdown.on('intake', 'boot checks', async () => checks.stop());
    checks.examine('Redis', () => examineRedis(config.REDIS_URL, { queues: true, keys: REDIS_KEYS['log-service'] }));
    const pool = await openDatabase(logDatabase(config.DATABASE_URL, logger, 'api'), logger);
    const api = new ApiDatabase(pool);
    const dataSource = await openDatabase(logDatabase(engineOf(config, SCHEMA), logger, 'work'), logger);
    checks.examine('PostgreSQL', () => examineDatabase([pool, dataSource]));
    const streamReplicas = config.NATS_STREAM_REPLICAS;
    const connection = await connectNats(config.NATS_URL, 'log-service', logger, { streamReplicas });
    checks.examine('NATS', () => examineNats(connection));
    await checks.settle();
    await awaitSchema(pool, logger);
    const audit = new AuditIntake({ api, engine: dataSource }, SCHEMA, logger);
    const publisher = new JetStreamPublisher(connection, 2_000);
    const deadLetters = new DeadLetters(publisher, metrics);
    // First: what those below ask of the database at a scrape does not count itself.
    showPools(metrics, { api: pool, work: dataSource });
    showOutbox(metrics, dataSource, SCHEMA);
    const outbox = new OutboxRelay({
      dataSource,
      writers: [pool],
      schema: SCHEMA,
      publish: (subject, payload, messageId) => publisher.store(subject, payload, messageId),
      logger,
    });
    const queue: BullWakes = new BullWakes({
      redisUrl: config.REDIS_URL,
      queueName: WAKE_QUEUES['log-service'],
      concurrency: WAKE_CONCURRENCY,
      onWake: async () => wakeAll(),
      logger,
    });
    const wakes = new InstantWakes(queue);
    const commands = new DockCommands(connection);
    const releaseDocks = new ReleaseDocks(dataSource, connection, logger);
    const readObject = new ReadObject(config.S3_CA_FILE);
    const hashObject = new HashObject(connection, readObject);
    const checkObjects = new CheckObjects({ dataSource, connection, hashObject, logger });
    const afterCommit: AfterCommit = new AfterCommit({
      ...{ dataSource, commands, checkObjects, releaseDocks, wakes, logger, metrics },
      onCampaignDockEnded: (id) => runCampaigns.wakeOne(id),
    });
    const lookAtDocks = new LookAtDocks(connection);
    const dueRunner = new DueRunner({
      ...{ dataSource, connection, lookAtDocks, afterCommit, logger, metrics },
      backlog: new Backlog(connection, [LOG_REPLIES_CONSUMER, LOG_EVENTS_CONSUMER, ...retiredConsumersOf('log')]),
    });
    const collectsByDefault = config.LOG_COLLECT_ON_FAILURE === 'on';
    const policies = new PolicyStore(ofAnyOrganisation(dataSource), collectsByDefault);
    const policiesOfRequests = new PolicyStore(api, collectsByDefault);
    const cancelUpload = new CancelUpload(ofAnyOrganisation(dataSource), afterCommit);
    const runCampaigns = new RunCampaigns({
      ...{ dataSource, connection, policies, lookAtDocks, cancelUpload, wakes, timing, logger },
      wakeUploads: () => dueRunner.wakeAll(),
    });
    const wakeAll = (): void => {
      dueRunner.wakeAll();
      runCampaigns.wake();
    };
    const deleteOldFiles = new DeleteOldFiles(dataSource, connection, logger);
    // One for each: a service or a storage that is slow to answer one question keeps no other dock waiting.
    const retention = new Retention({ dataSource, prunes: logPrunes(config), logger, metrics });
    const sweepers = [
      { name: 'audit', everyMs: AUDIT_EVERY_MS, run: () => audit.keep() },
      { name: 'due uploads', everyMs: SECOND_MS, run: () => dueRunner.run() },
      { name: 'docks to give back', everyMs: SECOND_MS, run: () => releaseDocks.run() },
      { name: 'campaigns', everyMs: SECOND_MS, run: () => runCampaigns.run() },
      { name: 'retention', everyMs: MINUTE_MS, run: () => deleteOldFiles.run() },
      { name: 'old rows', everyMs: MINUTE_MS, run: (stopping: AbortSignal) => retention.run(stopping) },
    ].map((chore) => new Sweeper(chore, logger));
    showSweepers(metrics, sweepers);
    const consumer = new DockConsumer({ connection, dataSource, afterCommit, deadLetters, logger, metrics });
    const wake = (): void => dueRunner.wakeAll();
    const collectForMission = new CollectForMission({ dataSource, connection, policies, timing, wake });
    const facts = new FactsConsumer({ connection, dataSource, collectForMission, afterCommit, deadLetters, logger });
    const campaigns = new CampaignReadModel(api);
    const downloadFile = new DownloadFile(connection);
    const intake = new Intake(
      () => {
        outbox.start();
        queue.start();
        for (const sweeper of sweepers) sweeper.start();
        consumer.start();
        facts.start();
      },
      () => pool.isInitialized && dataSource.isInitialized && !connection.isClosed(),
    );

    shutdown.on('intake', 'dock consumer', () => consumer.stop());
    shutdown.on('intake', 'facts consumer', () => facts.stop());
    shutdown.on('intake', 'wakes', () => queue.stop(5_000));
    shutdown.on('intake', 'sweepers', () => Promise.all(sweepers.map((sweeper) => sweeper.stop())));
    shutdown.on('work', 'questions and orders', async () => {
      // In this order: what is answered may order something.
      await dueRunner.settled();
      await afterCommit.settle();
    });
    shutdown.on('connections', 'outbox relay', () => outbox.stop());
    shutdown.on('storage', 'NATS', () => connection.drain());
    shutdown.on('storage', 'database', async () => {
      await Promise.all([pool.destroy(), dataSource.destroy()]);
    });
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [...CONTROLLERS, UploadsGrpcController, CampaignsGrpcController],
      providers: [
        { provide: ApiKeys, useValue: new RemoteApiKeys(connection) },
        { provide: RoutePermissions, useValue: new RoutePermissions(ROUTES) },
        { provide: RequestLimits, useValue: limitsOf(config) },
        { provide: AuditTrail, useValue: audit },
        { provide: AuditRecords, useValue: new AuditRecords(api, SCHEMA) },
        { provide: AskForList, useValue: new AskForList({ database: api, commands, replyMs: timing.listReplyMs }) },
        {
          provide: RequestUpload,
          useValue: new RequestUpload({ database: api, connection, policies: policiesOfRequests, timing, wake }),
        },
        { provide: CancelUpload, useValue: new CancelUpload(api, afterCommit) },
        { provide: UploadReadModel, useValue: new UploadReadModel(api) },
        { provide: FileReadModel, useValue: new FileReadModel(api) },
        { provide: DownloadFile, useValue: downloadFile },
        { provide: WriteBundle, useValue: new WriteBundle(downloadFile, readObject) },
        {
          provide: CreateCampaign,
          useValue: new CreateCampaign({ database: api, connection, wake: () => runCampaigns.wake() }),
        },
        {
          provide: ControlCampaign,
          useValue: new ControlCampaign({ database: api, campaigns, runCampaigns }),
        },
        { provide: CampaignReadModel, useValue: campaigns },
        { provide: PolicyStore, useValue: policiesOfRequests },
        { provide: ChangePolicy, useValue: new ChangePolicy(api, policiesOfRequests) },
        { provide: Intake, useValue: intake },
      ],
    };
  }
}

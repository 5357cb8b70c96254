import { type DynamicModule, Module } from '@nestjs/common';
import { MISSION_EVENTS_CONSUMER, MISSION_REPLIES_CONSUMER, REDIS_KEYS, WAKE_QUEUES } from '@aerie/bus-contract';
import {
  ApiKeys,
  RemoteApiKeys,
  RequestLimits,
  RoutePermissions,
  limitsOf,
  AuditIntake,
  AuditRecords,
  AuditTrail,
  auditControllerAt,
} from '@aerie/http-api';
import { BullWakes, examineRedis } from '@aerie/job-queue';
import { Backlog, DeadLetters, JetStreamPublisher, NoteDocks, connectNats, examineNats } from '@aerie/messaging';
import { retryUntilReached } from '@aerie/observability';
import {
  ApiDatabase,
  OutboxRelay,
  Retention,
  awaitSchema,
  engineOf,
  examineDatabase,
  isOutage,
  ofAnyOrganisation,
  openDatabase,
  showOutbox,
  showPools,
} from '@aerie/persistence';
import { BootChecks, type Host, Intake, RefusalFilter, Sweeper, hostModule, showSweepers } from '@aerie/service-host';
import { type Config, timingOf } from './config.js';
import { SCHEMA, missionDatabase } from './database.js';
import { MissionGrpcController } from './grpc/mission.grpc.controller.js';
import { WatchMissions } from './grpc/watch-missions.js';
import { AutoResume } from './missions/breakpoints/auto-resume.js';
import { ResumeMission } from './missions/breakpoints/resume-mission.js';
import { ErrorCodesController } from './missions/http/error-codes.controller.js';
import { CancelMission } from './missions/control/cancel-mission.js';
import { ControlController } from './missions/http/control.controller.js';
import { ControlMission } from './missions/control/control-mission.js';
import { DecideApproval } from './missions/control/decide-approval.js';
import { ResolveMission } from './missions/control/resolve-mission.js';
import { CutOffs } from './missions/dock-holds/cut-offs.js';
import { DockHolds } from './missions/dock-holds/dock-holds.js';
import { DockCommands } from './missions/downlink/dock-commands.js';
import { DockConsumer } from './missions/uplink/dock.consumer.js';
import { ObserveDock } from './missions/downlink/observe-dock.js';
import { StartsFirst } from './missions/downlink/starts-first.js';
import { AfterCommit } from './missions/downlink/after-commit.js';
import { RepeatCalls } from './missions/downlink/repeat-calls.js';
import { HistoryController } from './missions/http/history.controller.js';
import { BatchController } from './missions/http/batch.controller.js';
import { MissionsController } from './missions/http/missions.controller.js';
import { CreateMission } from './missions/planning/create-mission.js';
import { LookUp } from './missions/planning/look-up.js';
import { PlanMission } from './missions/planning/plan-mission.js';
import { RescheduleMission } from './missions/planning/reschedule-mission.js';
import { ChangePolicy } from './missions/policy/change-policy.js';
import { SettleRestore } from './missions/restore/settle-restore.js';
import { PolicyController } from './missions/http/policy.controller.js';
import { PolicyStore } from './missions/store/policy.store.js';
import { missionPrunes } from './missions/retention/prunes.js';
import { keepTrackDays } from './missions/store/flight-track.js';
import { TransactionShares } from './missions/store/transaction-shares.js';
import { keepTiming } from './missions/store/keep-timing.js';
import { countEnds, logFact } from './missions/store/log-facts.js';
import { MissionReadModel } from './missions/views/mission.read-model.js';
import { DueRunner } from './missions/wakes/due-runner.js';
import { showOpenMissions } from './missions/wakes/open-missions.js';
import { showDueSoon } from './missions/wakes/due-soon.js';
import { SET_WAKES_EVERY_MS, setWakes } from './missions/wakes/set-wakes.js';
import { DueWakes } from './missions/downlink/due-wakes.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ROUTES } from './openapi/mission-api.js';
import { QuestionsController } from './questions.controller.js';
import { KmzReader } from './waylines/kmz/index.js';
import { S3Storage } from './waylines/object-storage.js';
import { NearDocks } from './waylines/near-docks.js';
import { RouteShapes } from './waylines/route-shapes.js';
import { StoreWayline } from './waylines/store-wayline.js';
import { WaylineStore } from './waylines/wayline.store.js';
import { WaylinesController } from './waylines/waylines.controller.js';

/** Every route of the API is in one of these; openapi/mission-api.ts tells callers about each. */
export const CONTROLLERS = [
  BatchController,
  MissionsController,
  ControlController,
  HistoryController,
  PolicyController,
  ErrorCodesController,
  WaylinesController,
  OpenApiController,
  auditControllerAt('api/v1/mission-audit'),
] as const;

/** The rest is in their timelines. */
const NAMED_IN_A_LINE = 20;
/** Wakes that are handled at once; each only asks for the next look. */
const WAKE_CONCURRENCY = 4;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Seconds later than asked is soon enough to read about it. */
const AUDIT_EVERY_MS = 1_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A database that is restored under a running service: until then its claims are held back. */
const LOOK_FOR_RESTORE_MS = 5 * SECOND_MS;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics, shutdown } = host;
    const timing = timingOf(config);
    const checks = new BootChecks(logger);
    shutdown.on('intake', 'boot checks', async () => checks.stop());
    checks.examine('Redis', () =>
      examineRedis(config.REDIS_URL, { queues: true, keys: REDIS_KEYS['mission-service'] }),
    );
    const pool = await openDatabase(missionDatabase(config.DATABASE_URL, logger, 'api'), logger);
    const api = new ApiDatabase(pool);
    const engine = engineOf(config, SCHEMA);
    const chores = await openDatabase(missionDatabase(engine, logger, 'chores'), logger);
    const flight = await openDatabase(missionDatabase(engine, logger, 'flight'), logger);
    const docks = await openDatabase(missionDatabase(engine, logger, 'docks'), logger);
    checks.examine('PostgreSQL', () => examineDatabase([pool, chores, flight, docks]));
    const streamReplicas = config.NATS_STREAM_REPLICAS;
    const nats = await connectNats(config.NATS_URL, 'mission-service', logger, { streamReplicas });
    checks.examine('NATS', () => examineNats(nats));
    await checks.settle();
    await awaitSchema(pool, logger);
    const audit = new AuditIntake({ api, engine: chores }, SCHEMA, logger);
    // Not worth a boot that fails: without it they follow the defaults.
    await keepTiming(chores, timing).catch((error: unknown) =>
      logger.warn({ err: error }, 'failed to keep the settings for missions of the first release'),
    );
    const settleRestore = async (): Promise<void> => {
      const settled = await new SettleRestore(chores).ifRestored();
      if (settled.length === 0) return;
      const missionIds = settled.slice(0, NAMED_IN_A_LINE).map(({ id }) => id);
      logger.warn(
        { missions: settled.length, missionIds },
        'the database was restored: missions that may have been started since its backup are not started',
      );
    };
    // Before anything is claimed. A boot that cannot do it fails: in doubt, no take-off.
    await retryUntilReached({ what: 'PostgreSQL', logger, isPassing: isOutage, attempt: settleRestore });
    const storage = new S3Storage({
      endpoint: config.S3_ENDPOINT,
      region: config.S3_REGION,
      bucket: config.S3_BUCKET,
      accessKeyId: config.S3_ACCESS_KEY_ID,
      secretAccessKey: config.S3_SECRET_ACCESS_KEY,
      authorities: config.S3_CA_FILE,
    });

    const publisher = new JetStreamPublisher(nats, 2_000);
    // First: what those below ask of the database at a scrape does not count itself.
    showPools(metrics, { api: pool, chores, flight, docks });
    showOutbox(metrics, chores, SCHEMA);
    const ended = countEnds(metrics);
    const outbox = new OutboxRelay({
      dataSource: flight,
      writers: [pool, chores, docks],
      schema: SCHEMA,
      publish: async (subject, payload, messageId) => {
        await publisher.store(subject, payload, messageId);
        logFact(logger, subject, JSON.parse(payload), ended);
      },
      logger,
    });
    const wakes: BullWakes = new BullWakes({
      redisUrl: config.REDIS_URL,
      queueName: WAKE_QUEUES['mission-service'],
      concurrency: WAKE_CONCURRENCY,
      onWake: async () => dueRunner.wakeAll(),
      logger,
    });
    const dueWakes = new DueWakes(wakes);
    const commands = new DockCommands(nats);
    const observeDock = new ObserveDock(nats, {
      replies: new Backlog(nats, [MISSION_REPLIES_CONSUMER]),
      all: new Backlog(nats, [MISSION_REPLIES_CONSUMER, MISSION_EVENTS_CONSUMER]),
    });
    const startsFirst = new StartsFirst();
    const afterCommit = new AfterCommit({
      dataSource: flight,
      commands,
      observeDock,
      wakes: dueWakes,
      startsFirst,
      logger,
      metrics,
    });
    // On the pool of chores: a policy is read while a claim holds a connection of another.
    const policies = new PolicyStore(ofAnyOrganisation(chores));
    const routes = new RouteShapes(chores);
    const shares = new TransactionShares(metrics);
    const dueRunner = new DueRunner({
      dataSource: flight,
      shares,
      afterCommit,
      observeDock,
      policies,
      routes,
      startsFirst,
      logger,
      metrics,
    });
    showDueSoon(metrics, chores);
    showOpenMissions(metrics, chores);
    const repeatCalls = new RepeatCalls(flight, afterCommit);
    // On the pool of chores: flights never wait for it.
    const retention = new Retention({ dataSource: chores, prunes: missionPrunes(config), logger, metrics });
    const sweepers = [
      { name: 'audit', everyMs: AUDIT_EVERY_MS, run: () => audit.keep() },
      { name: 'due missions', everyMs: SECOND_MS, run: (stopping: AbortSignal) => dueRunner.runAll(stopping) },
      { name: 'database origin', everyMs: LOOK_FOR_RESTORE_MS, run: settleRestore },
      { name: 'wakes of the next minutes', everyMs: SET_WAKES_EVERY_MS, run: () => setWakes(flight, dueWakes) },
      { name: 'calls to repeat', everyMs: SECOND_MS, run: () => repeatCalls.run() },
      { name: 'retention', everyMs: MINUTE_MS, run: (stopping: AbortSignal) => retention.run(stopping) },
      {
        name: 'days of the flight track',
        everyMs: HOUR_MS,
        run: () => keepTrackDays(chores, config.MISSION_TRACK_DAYS),
      },
    ].map((chore) => new Sweeper(chore, logger));
    showSweepers(metrics, sweepers);
    const consumer = new DockConsumer({
      connection: nats,
      dataSource: docks,
      shares,
      autoResume: new AutoResume(policies),
      afterCommit,
      startsFirst,
      commands,
      deadLetters: new DeadLetters(publisher, metrics),
      notes: new NoteDocks(nats),
      logger,
      metrics,
    });
    const policiesOfRequests = policies.through(api);
    const planMission = new PlanMission({
      database: api,
      lookUp: new LookUp(api, observeDock),
      policies: policiesOfRequests,
      routes,
      timing,
    });
    const wake = (id: string, delayMs: number): void => {
      if (delayMs <= 0) dueRunner.wake(id);
      else dueWakes.after(delayMs);
    };
    const createMission = new CreateMission(api, planMission, wake, logger);
    const watchMissions = new WatchMissions(api, logger);
    const waylines = new WaylineStore(api);
    const kmzReader = new KmzReader();
    const nearDocks = new NearDocks(nats, policiesOfRequests, logger);
    const intake = new Intake(
      () => {
        outbox.start();
        wakes.start();
        for (const sweeper of sweepers) sweeper.start();
        consumer.start();
        watchMissions.start();
      },
      () => [pool, chores, flight, docks].every(({ isInitialized }) => isInitialized) && !nats.isClosed(),
    );

    shutdown.on('intake', 'dock consumer', () => consumer.stop());
    shutdown.on('intake', 'wakes', () => wakes.stop(5_000));
    shutdown.on('intake', 'sweepers', () => Promise.all(sweepers.map((sweeper) => sweeper.stop())));
    shutdown.on('intake', 'watches', async () => watchMissions.stop());
    shutdown.on('work', 'orders', () => afterCommit.settle());
    shutdown.on('connections', 'outbox relay', () => outbox.stop());
    shutdown.on('connections', 'route file threads', () => kmzReader.stop());
    shutdown.on('connections', 'object storage', () => storage.stop());
    shutdown.on('storage', 'NATS', () => nats.drain());
    shutdown.on('storage', 'database', async () => {
      await Promise.all([pool, chores, flight, docks].map((one) => one.destroy()));
    });
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [...CONTROLLERS, MissionGrpcController, QuestionsController],
      providers: [
        { provide: ApiKeys, useValue: new RemoteApiKeys(nats) },
        { provide: RoutePermissions, useValue: new RoutePermissions(ROUTES) },
        { provide: RequestLimits, useValue: limitsOf(config) },
        { provide: AuditTrail, useValue: audit },
        { provide: AuditRecords, useValue: new AuditRecords(api, SCHEMA) },
        { provide: CreateMission, useValue: createMission },
        { provide: RescheduleMission, useValue: new RescheduleMission(api, afterCommit, observeDock) },
        { provide: ResumeMission, useValue: new ResumeMission(api, createMission) },
        { provide: CancelMission, useValue: new CancelMission(api, afterCommit) },
        { provide: DecideApproval, useValue: new DecideApproval(api, nats, afterCommit) },
        { provide: ControlMission, useValue: new ControlMission(api, nats, afterCommit) },
        { provide: ResolveMission, useValue: new ResolveMission(api) },
        { provide: WatchMissions, useValue: watchMissions },
        { provide: PolicyStore, useValue: policiesOfRequests },
        { provide: ChangePolicy, useValue: new ChangePolicy(api, policiesOfRequests) },
        { provide: MissionReadModel, useValue: new MissionReadModel(api) },
        { provide: WaylineStore, useValue: waylines },
        { provide: StoreWayline, useValue: new StoreWayline(storage, waylines, kmzReader, nearDocks) },
        { provide: DockHolds, useValue: new DockHolds(chores) },
        { provide: CutOffs, useValue: new CutOffs(chores, observeDock) },
        { provide: Intake, useValue: intake },
        RefusalFilter,
      ],
    };
  }
}

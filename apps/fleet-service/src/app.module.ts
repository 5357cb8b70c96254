import { type DynamicModule, Module } from '@nestjs/common';
import { REDIS_KEYS } from '@aerie/bus-contract';
import {
  ApiKeys,
  AuditIntake,
  AuditRecords,
  AuditTrail,
  RequestLimits,
  RoutePermissions,
  auditControllerAt,
  limitsOf,
} from '@aerie/http-api';
import { examineRedis, redisClient, redisError } from '@aerie/job-queue';
import { DeadLetters, JetStreamPublisher, connectNats, examineNats } from '@aerie/messaging';
import {
  ApiDatabase,
  OutboxRelay,
  Retention,
  awaitSchema,
  engineOf,
  examineDatabase,
  openDatabase,
  showOutbox,
  showPools,
} from '@aerie/persistence';
import { Outbound } from '@aerie/outbound';
import { FileKeyRing } from '@aerie/sealing';
import { BootChecks, type Host, Intake, Sweeper, hostModule, showSweepers } from '@aerie/service-host';
import { AlarmStore } from './alarms/alarm.store.js';
import { AlarmTexts } from './alarms/alarm-texts.js';
import { AlarmsController } from './alarms/alarms.controller.js';
import { KeepAlarms } from './alarms/keep-alarms.js';
import { ApiKeyStore } from './api-keys/api-key.store.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { type Config } from './config.js';
import { SCHEMA, fleetDatabase } from './database.js';
import { DockNotes, receiveNotes } from './dock-state/dock-notes.js';
import { showDocks } from './dock-state/show-docks.js';
import { DockStates } from './dock-state/dock-states.js';
import { BrokerConnection } from './docks/broker/broker-connection.js';
import { AnswerRequests } from './docks/dock/answer-requests.js';
import { DockConsumer } from './docks/dock/dock.consumer.js';
import { KeepMessages } from './docks/dock/keep-messages.js';
import { CutOffDocks } from './docks/cut-offs/cut-off-docks.js';
import { CutOffStore, OwnCutOffs } from './docks/cut-offs/cut-off.store.js';
import { Telemetry } from './docks/dock/telemetry.js';
import { UpdateTopology } from './docks/dock/update-topology.js';
import { DockPositions } from './docks/dock-positions.js';
import { DockStore, DocksOfAll } from './docks/dock.store.js';
import { DockBrokerAddress, DocksController } from './docks/docks.controller.js';
import { ChangeDock } from './docks/change-dock.js';
import { RegisterDock } from './docks/register-dock.js';
import { Topologies } from './docks/topologies.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ROUTES } from './openapi/fleet-api.js';
import { InvitationStore } from './people/invitation.store.js';
import { Join } from './people/join.js';
import { JoinController } from './people/join.controller.js';
import { MemberStore } from './people/member.store.js';
import { InvitationsController, MembersController } from './people/people.controller.js';
import { Passwords } from './people/passwords.js';
import { People } from './people/people.js';
import { BEGUN_SIGN_INS, PROVIDER_SIGN_INS, TokenGuesses } from './people/token-guesses.js';
import { PasswordGuesses } from './people/password-guesses.js';
import { PendingSignIns } from './providers/pending-sign-in.js';
import { GuardedFetch } from './providers/guarded-fetch.js';
import { Identities } from './providers/identities.js';
import { ProviderClients } from './providers/provider-clients.js';
import { ProviderSignIn, type ProviderSignInParts } from './providers/provider-sign-in.js';
import { ProviderSignInController } from './providers/provider-sign-in.controller.js';
import { ProviderStore } from './providers/provider.store.js';
import { ProvidersController } from './providers/providers.controller.js';
import { SignInByProviders } from './providers/sign-in-by-providers.js';
import { Challenges } from './passkeys/challenges.js';
import { PasskeyStore } from './passkeys/passkey.store.js';
import { Passkeys } from './passkeys/passkeys.js';
import { PasskeySignInController, PasskeysController } from './passkeys/passkeys.controller.js';
import { SignInByPasskeys } from './passkeys/sign-in-by-passkeys.js';
import { Bearers } from './sessions/bearers.js';
import { Callers } from './sessions/callers.js';
import { SessionStore } from './sessions/session.store.js';
import { MeController, SessionsController, SignInController } from './sessions/sessions.controller.js';
import { SignIn } from './sessions/sign-in.js';
import { ownerOfBearer } from './audit/owner-of-bearer.js';
import { SiteStore } from './sites/site.store.js';
import { SitesController } from './sites/sites.controller.js';
import { QuestionsController } from './questions.controller.js';
import { fleetPrunes } from './retention.js';

/** Of the HTTP API. The document first: its name is no serial number. */
export const CONTROLLERS = [
  OpenApiController,
  DocksController,
  AlarmsController,
  SitesController,
  ApiKeysController,
  JoinController,
  MembersController,
  InvitationsController,
  SignInController,
  SessionsController,
  MeController,
  ProvidersController,
  ProviderSignInController,
  PasskeySignInController,
  PasskeysController,
  auditControllerAt('api/v1/audit'),
] as const;

const MINUTE_MS = 60_000;
/** Seconds later than asked is soon enough to read about it. */
const AUDIT_EVERY_MS = 1_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A return may be so late; what is decided is done at once by who decided it. */
const CUT_OFFS_EVERY_MS = 5_000;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics, shutdown } = host;
    const alarmTexts = AlarmTexts.read(config.FLEET_HMS_TEXTS_FILE);
    const checks = new BootChecks(logger);
    shutdown.on('intake', 'boot checks', async () => checks.stop());
    checks.examine('Redis', () => examineRedis(config.REDIS_URL, { queues: false, keys: REDIS_KEYS['fleet-service'] }));
    const pool = await openDatabase(fleetDatabase(config.DATABASE_URL, logger, 'api'), logger);
    const api = new ApiDatabase(pool);
    const dataSource = await openDatabase(fleetDatabase(engineOf(config, SCHEMA), logger, 'work'), logger);
    checks.examine('PostgreSQL', () => examineDatabase([pool, dataSource]));
    const streamReplicas = config.NATS_STREAM_REPLICAS;
    const nats = await connectNats(config.NATS_URL, 'fleet-service', logger, { streamReplicas });
    checks.examine('NATS', () => examineNats(nats));
    const redis = redisClient(config.REDIS_URL, { maxRetriesPerRequest: 1, commandTimeout: 1_000 });
    redis.on('error', (error) => logger.warn({ err: redisError(error, config.REDIS_URL) }, 'Redis does not answer'));
    const broker = BrokerConnection.open({ config, dataSource, checks, metrics, logger });
    const brokerUsers = broker.users;
    await checks.settle();
    await awaitSchema(pool, logger);

    const keys = new ApiKeyStore({ api, engine: dataSource });
    const invitations = new InvitationStore(api);
    const passwords = new Passwords();
    const people = new People(api, passwords);
    const guesses = new PasswordGuesses();
    const sessions = new SessionStore(api, {
      lifetimeMs: config.FLEET_SESSION_HOURS * HOUR_MS,
      idleMs: config.FLEET_SESSION_IDLE_MINUTES * MINUTE_MS,
    });
    const bearers = new Bearers(keys, sessions);
    const audit = new AuditIntake({ api, engine: dataSource }, SCHEMA, logger, ownerOfBearer(api));
    const signIns = new SignIn(api, sessions, passwords, guesses, audit);
    const providers = providersOf(config, { database: api, sessions, audit });
    const origins = config.FLEET_PASSKEY_ORIGINS;
    const passkeys =
      origins &&
      new Passkeys({
        ...{ database: api, origins, sessions, signIns, audit },
        ...{ store: new PasskeyStore(api), challenges: new Challenges(redis) },
        ...{ guesses: new TokenGuesses(), begins: new TokenGuesses(BEGUN_SIGN_INS) },
      });
    const docks = new DocksOfAll(dataSource);
    const topologies = new Topologies(docks);
    const states = new DockStates(redis, dataSource, logger);
    metrics.gauge(
      'fleet_ingress_clock_ahead_seconds',
      'How far the clock of an ingress was ahead of this one within the last minute. Above 0: set the clocks right.',
      () => states.clockAheadMs() / 1_000,
    );
    const notes = new DockNotes(redis, logger);
    const positions = new DockPositions({ api, engine: dataSource }, logger);
    const publisher = new JetStreamPublisher(nats, 2_000);
    // First: what those below ask of the database at a scrape does not count itself.
    showPools(metrics, { api: pool, work: dataSource });
    showOutbox(metrics, dataSource, SCHEMA);
    showDocks(metrics, dataSource, states);
    const outbox = new OutboxRelay({
      dataSource,
      writers: [pool],
      schema: SCHEMA,
      publish: (subject, payload, messageId) => publisher.store(subject, payload, messageId),
      logger,
    });
    const consumer = new DockConsumer({
      connection: nats,
      topologies,
      states,
      updateTopology: new UpdateTopology(dataSource, brokerUsers, topologies, logger),
      answerRequests: new AnswerRequests(dataSource, config),
      keepAlarms: new KeepAlarms(dataSource),
      keepMessages: new KeepMessages(dataSource),
      deadLetters: new DeadLetters(publisher, metrics),
      logger,
      metrics,
    });
    let telemetry: Telemetry | undefined;
    let stopNotes = (): void => undefined;
    const retention = new Retention({ dataSource, prunes: fleetPrunes(config), logger, metrics });
    const chore = { name: 'retention', everyMs: MINUTE_MS, run: (stopping: AbortSignal) => retention.run(stopping) };
    const sweeper = new Sweeper(chore, logger);
    const cutOffs = new CutOffStore(dataSource);
    const cutOffDocks = new CutOffDocks({
      ...{ connection: nats, store: cutOffs, brokerUsers, topologies, logger, metrics },
      firstMs: config.FLEET_CUT_OFF_SECONDS * 1_000,
    });
    const cutOffChore = { name: 'cut-offs', everyMs: CUT_OFFS_EVERY_MS, run: () => cutOffDocks.run() };
    const cutOffSweeper = new Sweeper(cutOffChore, logger);
    const auditChore = { name: 'audit', everyMs: AUDIT_EVERY_MS, run: () => audit.keep() };
    const auditSweeper = new Sweeper(auditChore, logger);
    showSweepers(metrics, [sweeper, cutOffSweeper, auditSweeper]);
    let stopFloods = (): void => undefined;
    const intake = new Intake(
      () => {
        states.start();
        positions.start();
        outbox.start();
        consumer.start();
        telemetry = new Telemetry({ connection: nats, states, topologies, positions, logger, metrics });
        stopNotes = receiveNotes(nats, notes, topologies, logger);
        sweeper.start();
        stopFloods = cutOffDocks.listen();
        cutOffSweeper.start();
        auditSweeper.start();
      },
      () => pool.isInitialized && dataSource.isInitialized && broker.ready(),
    );

    shutdown.on('intake', 'dock consumer', () => consumer.stop());
    shutdown.on('intake', 'telemetry', async () => telemetry?.stop());
    shutdown.on('intake', 'dock notes', async () => stopNotes());
    shutdown.on('intake', 'retention', () => sweeper.stop());
    shutdown.on('intake', 'floods', async () => stopFloods());
    shutdown.on('intake', 'cut-offs', () => cutOffSweeper.stop());
    shutdown.on('work', 'audit', () => auditSweeper.stop());
    shutdown.on('work', 'outbox relay', () => outbox.stop());
    shutdown.on('work', 'dock states', () => states.stop());
    shutdown.on('work', 'dock positions', () => positions.stop());
    shutdown.on('connections', 'NATS', () => nats.drain());
    shutdown.on('connections', 'broker', () => broker.stop());
    shutdown.on('connections', 'Redis', async () => redis.disconnect());
    shutdown.on('storage', 'database', () => Promise.all([pool.destroy(), dataSource.destroy()]));
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [...CONTROLLERS, QuestionsController],
      providers: [
        { provide: AlarmStore, useValue: new AlarmStore(api) },
        { provide: AlarmTexts, useValue: alarmTexts },
        { provide: ApiKeyStore, useValue: keys },
        { provide: ApiKeys, useValue: bearers },
        { provide: AuditTrail, useValue: audit },
        { provide: Bearers, useValue: bearers },
        { provide: SessionStore, useValue: sessions },
        { provide: AuditRecords, useValue: new AuditRecords(api, SCHEMA) },
        { provide: Callers, useValue: new Callers(api) },
        { provide: SignIn, useValue: signIns },
        { provide: SignInByProviders, useValue: providers },
        { provide: SignInByPasskeys, useValue: new SignInByPasskeys(passkeys ?? null) },
        { provide: MemberStore, useValue: new MemberStore(api) },
        { provide: InvitationStore, useValue: invitations },
        { provide: Join, useValue: new Join(api, invitations, people, new TokenGuesses(), guesses) },
        { provide: RoutePermissions, useValue: new RoutePermissions(ROUTES) },
        { provide: RequestLimits, useValue: limitsOf(config) },
        { provide: SiteStore, useValue: new SiteStore(api) },
        { provide: DockStore, useValue: new DockStore(api) },
        { provide: DocksOfAll, useValue: docks },
        { provide: DockStates, useValue: states },
        { provide: DockNotes, useValue: notes },
        { provide: DockPositions, useValue: positions },
        { provide: RegisterDock, useValue: new RegisterDock(api, docks, brokerUsers, topologies) },
        { provide: ChangeDock, useValue: new ChangeDock(api, docks, brokerUsers, topologies) },
        { provide: DockBrokerAddress, useValue: new DockBrokerAddress(config.FLEET_DOCK_MQTT_URL) },
        { provide: BrokerConnection, useValue: broker },
        { provide: OwnCutOffs, useValue: new OwnCutOffs(api) },
        { provide: CutOffDocks, useValue: cutOffDocks },
        { provide: Intake, useValue: intake },
      ],
    };
  }
}

type OfSessions = Pick<ProviderSignInParts, 'database' | 'sessions' | 'audit'>;

function providersOf(config: Config, { database, sessions, audit }: OfSessions): SignInByProviders {
  const { FLEET_KEY_FILE: keyFile, FLEET_SIGN_IN_RETURN_URL: returnUrl } = config;
  if (keyFile === undefined || returnUrl === undefined) return new SignInByProviders(null);
  const allowsPrivate = config.FLEET_PRIVATE_PROVIDERS === 'allowed';
  const agents = new Outbound(allowsPrivate, config.FLEET_PROVIDER_CA_FILE).agents();
  const keyRing = FileKeyRing.read('FLEET_KEY_FILE', keyFile);
  const store = new ProviderStore(database, keyRing);
  const clients = new ProviderClients(new GuardedFetch(agents, allowsPrivate), returnUrl);
  const signIn = new ProviderSignIn({
    ...{ database, providers: store, clients, sessions, audit },
    ...{ pending: new PendingSignIns(keyRing), identities: new Identities(database) },
    guesses: new TokenGuesses(PROVIDER_SIGN_INS),
  });
  return new SignInByProviders({ store, clients, signIn, returnUrl });
}

import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type DockRecord,
  type Principal,
  ROLES,
  type DockStateView,
  type SendAsk,
  principalQuestion,
  dockQuestion,
  dockStateQuestion,
  docksQuestion,
  findDocksQuestion,
  presignDownloadQuestion,
  releaseDockQuestion,
  sendQuestion,
  takeDockQuestion,
} from '@aerie/bus-contract';
import { type AuditIntake, AuditTrail, configureHttp } from '@aerie/http-api';
import { holderOf, keysOfRoles } from '@aerie/http-api/testing';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { inTransaction } from '@aerie/persistence';
import { startInProcess } from '@aerie/service-host/testing';
import { type Closers, startAll, startPrivateNats, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { ORGANISATION, aDock, logTestDatabase, logger } from './fixtures/log-database.js';
import { listedOf } from './uploads/dock/translate-uplink.js';
import { recordReply } from './uploads/store/upload-critical.js';
import { ROUTES } from './openapi/log-api.js';

const OTHER_ORGANISATION = '22222222-2222-4222-8222-222222222222';
export const API_KEY = 'a-good-key';
export const OTHER_API_KEY = 'the-key-of-others';

const PRINCIPALS: Readonly<Record<string, Principal>> = {
  [API_KEY]: { keyId: 'key-1', organisationId: ORGANISATION, roles: ROLES, siteIds: null, dockSns: null },
  [OTHER_API_KEY]: { keyId: 'key-2', organisationId: OTHER_ORGANISATION, roles: ROLES, siteIds: null, dockSns: null },
  ...keysOfRoles(ORGANISATION),
};

/** The registered docks. What begins with NEAR is there; all others are away, and only asked what they have. */
const DOCKS: readonly DockRecord[] = [
  { ...aDock('AWAY-1'), name: 'Roof' },
  { ...aDock('AWAY-2'), name: 'Harbour', model: 'dock3' },
  aDock('NEAR-1'),
  aDock('NEAR-2'),
  aDock('REFUSES-1'),
  aDock('SILENT-1'),
  { ...aDock('THEIRS-1'), organisationId: OTHER_ORGANISATION },
];

/** What a dock lists whose aircraft is off. */
const LIST = {
  result: 0,
  files: [
    {
      ...{ module: '3', result: 0, device_sn: 'irrelevant' },
      list: [
        { boot_index: 7, start_time: 1_780_000_000, end_time: 1_780_003_600, size: 20_000_000 },
        { boot_index: 8, start_time: 1_780_010_000, size: 3_000_000 },
      ],
    },
    { module: '0', result: 324_015, device_sn: 'irrelevant', list: [] },
  ],
};

/** What a dock lists that has lost its clock and its senses. */
const MAD_LIST = {
  result: 0,
  files: [
    {
      ...{ module: '3', result: 0, device_sn: 'irrelevant' },
      list: [{ boot_index: 9, start_time: 9e15, end_time: 1e300, size: 1e300 }],
    },
  ],
};

export interface RunningService {
  readonly url: string;
  readonly dataSource: DataSource;
  /** May do what no role of the service may. */
  readonly owner: DataSource;
  readonly audit: AuditIntake;
  /** How the service reaches its database. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * The whole service on a database and a NATS of its own, without its intake: nothing happens but what a request begins.
 * Of the other programs only the answers are there.
 */
export const startService = (): Promise<RunningService> => startAll(start);

async function start(closers: Closers): Promise<Omit<RunningService, 'stop'>> {
  const { pools, settings, owner, drop } = await logTestDatabase(1);
  closers.push(drop);
  const dataSource = pools[0] as DataSource;
  const storage = await startStorage();
  closers.push(() => storage.close());
  const bus = await startPrivateNats();
  closers.push(() => bus.remove());
  const others = await connectNats(bus.url, 'others', logger);
  closers.push(() => others.close());
  answerForFleet(others);
  answerForMissions(others);
  answerForStorage(others, `http://127.0.0.1:${(storage.address() as AddressInfo).port}`);
  answerForDocks(others, dataSource);
  const config = loadConfig({
    LOG_HTTP_PORT: '0',
    LOG_GRPC_PORT: '0',
    LOG_LIST_REPLY_MS: '1500',
    ...settings,
    REDIS_URL: testEnvironment().redisUrl,
    NATS_URL: bus.url,
  });
  const { url, app } = await startInProcess(closers, {
    ...{ name: 'log-service', logger },
    compose: (host) => AppModule.compose(config, host),
    http: (application) => configureHttp(application, logger, ROUTES),
  });
  return { url, settings: { ...settings }, dataSource, owner, audit: app.get<AuditIntake>(AuditTrail) };
}

function answerForFleet(connection: NatsConnection): void {
  answer(connection, principalQuestion, ({ key }) => ({ principal: holderOf(PRINCIPALS[key]) }));
  answer(connection, dockQuestion, ({ sn }) => ({ dock: DOCKS.find((dock) => dock.sn === sn) ?? null }));
  answer(connection, docksQuestion, ({ sns }) => ({ docks: DOCKS.filter(({ sn }) => sns.includes(sn)) }));
  answer(connection, findDocksQuestion, ({ organisationId, sns, models, nameContains = '', after = '', limit }) => ({
    docks: DOCKS.filter(
      (dock) =>
        dock.organisationId === organisationId &&
        (sns?.includes(dock.sn) ?? true) &&
        (models?.includes(dock.model) ?? true) &&
        dock.name.includes(nameContains) &&
        dock.sn > after,
    ).slice(0, limit),
  }));
  answer(connection, dockStateQuestion, ({ sns }) => ({ docks: sns.map(stateOf) }));
}

function stateOf(sn: string): DockStateView {
  const agoMs = sn.startsWith('NEAR') ? 0 : null;
  return { sn, seenAgoMs: agoMs, backAgoMs: agoMs, clockSkewMs: null, properties: {} };
}

function answerForMissions(connection: NatsConnection): void {
  answer(connection, takeDockQuestion, ({ forMs }) => ({ untilMs: Date.now() + forMs, refusal: null }));
  answer(connection, releaseDockQuestion, () => ({ released: true }));
}

function answerForStorage(connection: NatsConnection, url: string): void {
  answer(connection, presignDownloadQuestion, ({ objectKey, lifetimeSeconds }) => ({
    url: `${url}/${objectKey}`,
    expiresAtMs: Date.now() + lifetimeSeconds * 1_000,
  }));
}

/** Docks that were asked for a list; their words reach the table without the way over the bus. */
function answerForDocks(connection: NatsConnection, dataSource: DataSource): void {
  const reply = ({ sn, tid }: SendAsk, result: number): void =>
    void inTransaction(dataSource, (tx) =>
      recordReply(tx, tid, result, { modules: result === 0 ? listedOf(sn === 'NEAR-2' ? MAD_LIST : LIST) : [] }),
    );
  answer(connection, sendQuestion, (sent) => {
    if (sent.sn.startsWith('AWAY')) return { outcome: 'refused' as const, reason: 'nobody is subscribed' };
    if (sent.method === 'fileupload_list' && sent.sn.startsWith('NEAR')) reply(sent, 0);
    if (sent.method === 'fileupload_list' && sent.sn.startsWith('REFUSES')) reply(sent, 324_013);
    return { outcome: 'written' as const };
  });
}

/** An object storage that holds, under each key, the key itself. */
function startStorage(): Promise<Server> {
  const server = createServer((request, response) => response.end(request.url));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type DockRecord,
  type Principal,
  ROLES,
  keyMakersQuestion,
  principalQuestion,
  dockQuestion,
  docksQuestion,
  dockStateQuestion,
  findDocksQuestion,
  sendQuestion,
} from '@aerie/bus-contract';
import { type AuditIntake, AuditTrail, configureHttp } from '@aerie/http-api';
import { holderOf, keysOfRoles } from '@aerie/http-api/testing';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { createLogger } from '@aerie/observability';
import { startInProcess } from '@aerie/service-host/testing';
import { type Closers, startAll, startPrivateNats, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config.js';
import { aDockView, missionTestDatabase } from '../missions/fixtures/mission-database.js';
import { ROUTES } from './mission-api.js';

/** The organisation of `aMission`. */
export const ORGANISATION = '11111111-1111-4111-8111-111111111111';
export const API_KEY = 'a-good-key';

/** Pilots who sign in. */
export const PEOPLE = ['anna', 'ben', 'cora'] as const;
export const tokenOf = (personId: (typeof PEOPLE)[number]): string => `token-of-${personId}`;

/** Who made which key: `keyOfRole` is the name of its id. Nobody is behind the others. */
const MAKERS: Readonly<Record<string, readonly string[]>> = { planner: ['anna'], pilot: ['ben', 'anna'] };

const PRINCIPALS: Readonly<Record<string, Principal>> = {
  [API_KEY]: { keyId: 'key-1', organisationId: ORGANISATION, roles: ROLES, siteIds: null, dockSns: null },
  ...keysOfRoles(ORGANISATION),
  ...Object.fromEntries(
    PEOPLE.map((personId) => [
      tokenOf(personId),
      { keyId: `session-of-${personId}`, personId, organisationId: ORGANISATION, roles: ['pilot'] as const },
    ]),
  ),
};

export interface RunningService {
  readonly url: string;
  readonly dataSource: DataSource;
  /** May do what no role of the service may. */
  readonly owner: DataSource;
  readonly audit: AuditIntake;
  /** How the service reaches its database. */
  readonly settings: Readonly<Record<string, string>>;
  /** For questions to the service. */
  readonly nats: NatsConnection;
  stop(): Promise<void>;
}

const logger = createLogger('openapi-spec', 'silent');

/**
 * The whole service as it runs, on a database and a NATS of its own, without its intake: nothing happens by itself. Of
 * the other programs only the answers are there. Every dock is registered; its name says its model, and whether
 * its position is unknown (`LOST`).
 */
export const startService = (): Promise<RunningService> => startAll(start);

async function start(closers: Closers): Promise<Omit<RunningService, 'stop'>> {
  const { pools, settings, owner, drop } = await missionTestDatabase(1);
  closers.push(drop);
  const dataSource = pools[0] as DataSource;
  const storage = await startStorage();
  closers.push(() => storage.close());
  const nats = await startPrivateNats();
  closers.push(() => nats.remove());
  const others = await connectNats(nats.url, 'others', logger);
  closers.push(() => others.close());
  answerForOthers(others);
  const config = loadConfig({
    MISSION_HTTP_PORT: '0',
    MISSION_GRPC_PORT: '0',
    ...settings,
    REDIS_URL: testEnvironment().redisUrl,
    NATS_URL: nats.url,
    S3_ENDPOINT: `http://127.0.0.1:${(storage.address() as AddressInfo).port}`,
    S3_BUCKET: 'irrelevant',
    S3_ACCESS_KEY_ID: 'irrelevant',
    S3_SECRET_ACCESS_KEY: 'irrelevant',
  });
  const { url, app } = await startInProcess(closers, {
    ...{ name: 'mission-service', logger, nats: nats.url },
    compose: (host) => AppModule.compose(config, host),
    http: (application) => configureHttp(application, logger, ROUTES),
  });
  return { url, settings: { ...settings }, dataSource, owner, nats: others, audit: app.get<AuditIntake>(AuditTrail) };
}

function answerForOthers(connection: NatsConnection): void {
  answer(connection, principalQuestion, ({ key }) => ({ principal: holderOf(PRINCIPALS[key]) }));
  answer(connection, keyMakersQuestion, ({ keyIds }) => ({
    keys: keyIds
      .filter((keyId) => keyId !== 'nobodys')
      .map((keyId) => ({ keyId, personIds: [...(MAKERS[keyId] ?? [])] })),
  }));
  answer(connection, dockQuestion, ({ sn }) => ({ dock: sn.startsWith('GONE') ? null : aDockRecord(sn) }));
  answer(connection, docksQuestion, ({ sns }) => ({
    docks: sns.filter((sn) => !sn.startsWith('GONE')).map(aDockRecord),
  }));
  answer(connection, findDocksQuestion, () => ({ docks: [aDockRecord('TWO-1'), aDockRecord('LOST-1')] }));
  answer(connection, dockStateQuestion, ({ sns }) => ({
    docks: sns.map((sn) => ({ ...aDockView(sn), ...(sn.startsWith('LOST') ? { position: null } : {}) })),
  }));
  answer(connection, sendQuestion, () => ({ outcome: 'written' as const }));
}

/** `TWO-HAS-67-1` is a dock whose aircraft is 67-1. Others have not reported theirs. */
function aircraftOf(sn: string): string | null {
  const key = /-HAS-(\d+-\d+)$/.exec(sn)?.[1];
  return key === undefined ? null : `0-${key}`;
}

function aDockRecord(sn: string): DockRecord {
  return {
    sn,
    organisationId: ORGANISATION,
    model: sn.startsWith('ONE') ? 'dock1' : 'dock2',
    protocolGeneration: '1.15',
    name: 'irrelevant',
    aircraftSn: null,
    position: sn.startsWith('LOST') ? null : (aDockView(sn).position ?? null),
    aircraftModelKey: aircraftOf(sn),
    reportedModel: null,
  };
}

/** An object storage that takes everything. */
function startStorage(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

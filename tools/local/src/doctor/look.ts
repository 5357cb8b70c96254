import { readFileSync } from 'node:fs';
import { connect as connectNats } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import mqtt from 'mqtt';
import { Client } from 'pg';
import type { TlsIdentity } from '../infrastructure/run-certificates.js';
import { Api, good } from '../stack/api.js';
import { ask } from '../stack/ask.js';
import { type Run } from '../stack/run.js';
import { type Seen, type SeenProgram, type SeenServer, type SeenStorage, samplesIn } from './judge.js';

/** Of one look at a server. */
const WITHIN_MS = 5_000;

/** Where programs answer at `/readyz` and `/metrics`, by their names, and who has signed their certificates. */
export interface Addresses {
  readonly programs: Readonly<Record<string, string>>;
  readonly ca?: string | undefined;
}

/** What can be seen of any installation: its programs. */
export async function lookAtPrograms({ programs, ca }: Addresses): Promise<Seen> {
  const seen = await Promise.all(Object.entries(programs).map(([name, url]) => lookAtProgram(name, url, ca)));
  return { at: new Date(), programs: seen, servers: [] };
}

/** Of one that runs in this folder its servers and its storage as well. */
export async function lookAtRun(run: Run): Promise<Seen> {
  const identity = identityOf(run);
  const [seen, servers, storage] = await Promise.all([
    lookAtPrograms({ programs: run.services, ca: identity?.ca }),
    Promise.all([
      lookAtPostgres(run.databaseUrl),
      lookAtRedis(run.redisUrl, identity),
      lookAtNats(run.natsUrl, identity),
      lookAtBroker(run, identity),
    ]),
    lookAtStorage(run),
  ]);
  return { ...seen, servers, storage };
}

function identityOf({ tls }: Run): TlsIdentity | undefined {
  if (tls === undefined) return undefined;
  const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((file) => readFileSync(file, 'utf8'));
  return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
}

async function lookAtProgram(name: string, url: string, ca: string | undefined): Promise<SeenProgram> {
  try {
    const answer = await ask(`${url}/readyz`, ca);
    const { text } = await ask(`${url}/metrics`, ca);
    // Told in whole seconds: the middle of one is the best guess.
    const clockAheadMs = Date.parse(answer.headers.date ?? '') + 500 - Date.now();
    const ready = { isReady: answer.status === 200, says: answer.text.trim(), clockAheadMs };
    return { name, ready, samples: samplesIn(text) };
  } catch (error) {
    return { name, ready: undefined, problem: reasonOf(error), samples: [] };
  }
}

const reasonOf = (error: unknown): string | undefined =>
  (error instanceof Error ? error.message || error.name : String(error)).split('\n')[0];

const problemIn = (name: string, error: unknown): SeenServer => ({ name, problem: reasonOf(error) });

/** What makes a promise weaker that it has given. */
const SAFE_SETTINGS = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' } as const;

async function lookAtPostgres(url: string): Promise<SeenServer> {
  const name = 'PostgreSQL';
  const client = new Client({ connectionString: url, connectionTimeoutMillis: WITHIN_MS, query_timeout: WITHIN_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const askedMs = Date.now();
    const { rows } = await client.query<{ now: Date; up: Date }>(
      'SELECT clock_timestamp() AS now, pg_postmaster_start_time() AS up',
    );
    const middleMs = (askedMs + Date.now()) / 2;
    const settings = await client.query<{ name: keyof typeof SAFE_SETTINGS; setting: string }>(
      'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
      [Object.keys(SAFE_SETTINGS)],
    );
    const risks = settings.rows
      .filter((row) => row.setting !== SAFE_SETTINGS[row.name])
      .map((row) => `${row.name} is ${row.setting}: what was committed may be lost when the machine stops`);
    return { name, upSince: rows[0]?.up, clockAheadMs: (rows[0]?.now.getTime() ?? middleMs) - middleMs, risks };
  } catch (error) {
    return problemIn(name, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function lookAtRedis(url: string, tls: TlsIdentity | undefined): Promise<SeenServer> {
  const name = 'Redis';
  const client = new Redis(url, {
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    ...{ lazyConnect: true, connectTimeout: WITHIN_MS, commandTimeout: WITHIN_MS, retryStrategy: () => null },
  });
  let problem: unknown;
  client.on('error', (error) => (problem = error));
  try {
    await client.connect();
    const askedMs = Date.now();
    const [seconds = '', micros = ''] = (await client.time()).map(String);
    const middleMs = (askedMs + Date.now()) / 2;
    const [, upSeconds] = /uptime_in_seconds:(\d+)/.exec(await client.info('server')) ?? [];
    const [, policy] = /maxmemory_policy:(\S+)/.exec(await client.info('memory')) ?? [];
    return {
      name,
      upSince: new Date(askedMs - Number(upSeconds) * 1_000),
      clockAheadMs: Number(seconds) * 1_000 + Number(micros) / 1_000 - middleMs,
      risks: policy === 'noeviction' ? [] : [`maxmemory-policy is ${policy}: wakes may be thrown away`],
    };
  } catch (error) {
    return problemIn(name, problem ?? error);
  } finally {
    client.disconnect();
  }
}

/** It tells no time to its clients. */
async function lookAtNats(url: string, tls: TlsIdentity | undefined): Promise<SeenServer> {
  const name = 'NATS';
  const { host, username, password } = new URL(url);
  try {
    const connection = await connectNats({
      ...{ servers: [host], user: username, pass: password, reconnect: false, timeout: WITHIN_MS },
      ...(tls === undefined ? {} : { tls: { ...tls } }),
    });
    const risks = connection.info?.jetstream === true ? [] : ['JetStream is off: no message of a dock is kept'];
    await connection.close();
    return { name, risks };
  } catch (error) {
    return problemIn(name, error);
  }
}

/** Nor does it. */
async function lookAtBroker(run: Run, tls: TlsIdentity | undefined): Promise<SeenServer> {
  const name = 'the MQTT broker';
  try {
    const login = { username: run.mqttUser, password: run.mqttPassword };
    const options = { protocolVersion: 5, reconnectPeriod: 0, connectTimeout: WITHIN_MS } as const;
    const client = await mqtt.connectAsync(run.mqttUrl, { ...tls, ...login, ...options });
    await client.endAsync(true);
    return { name };
  } catch (error) {
    return problemIn(name, error);
  }
}

interface StorageReport {
  readonly healthy: boolean;
  readonly steps: readonly { readonly verdict: string; readonly found: string; readonly change: string | null }[];
}

/** Undefined where the API does not answer: that is told of its programs. */
async function lookAtStorage({ apiUrl, apiKey }: Run): Promise<SeenStorage | undefined> {
  try {
    const report = good(await new Api(apiUrl, apiKey).post<StorageReport>('/storage/doctor', {}));
    return { isHealthy: report.healthy, failures: report.steps.filter(({ verdict }) => verdict === 'failed') };
  } catch {
    return undefined;
  }
}

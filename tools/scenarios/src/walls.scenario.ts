import { readFileSync, readdirSync, statSync } from 'node:fs';
import { type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectNats } from '@nats-io/transport-node';
import { type Finding, type TlsIdentity, isHealthy, judge, lookAtRun, runOf } from '@aerie/local';
import { type TlsHello, WEAK_SUITES, eventually, tryTls } from '@aerie/testing';
import { Redis } from 'ioredis';
import mqtt from 'mqtt';
import { Client } from 'pg';
import { World } from './world.js';

// The whole of Aerie as `npm start` runs it, with every wall up: TLS alone, certificates for programs, secrets in files.

let world: World;
let person: TlsIdentity;
beforeAll(async () => {
  world = await World.start({}, ['#'], { tls: true });
  const { certificates } = world.stack.infrastructure;
  if (certificates === undefined) throw new Error('this world has no certificates');
  person = certificates.person;
}, 120_000);
afterAll(() => world.stop(), 60_000);

const portOf = (url: string): number => Number(new URL(url).port);

const firstBytes = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', () => {
      socket.pause();
      resolve();
    });
  });
/** The server speaks first, in clear. [NATS client protocol] */
const beginNats = firstBytes;
/** SSLRequest, which is answered by one letter. [PostgreSQL, message formats] */
const beginPostgres = (socket: Socket): Promise<void> => {
  socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
  return firstBytes(socket);
};

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly hello?: Pick<TlsHello, 'before' | 'identity'>;
  /** Docks of every age come there. */
  readonly isForDocks?: boolean;
}

function listeners(): readonly Listener[] {
  const { stack } = world;
  const { infrastructure, serviceUrls, grpcAddress, credentialGrpcAddress, logGrpcAddress } = stack;
  const http = Object.entries({ ...serviceUrls, edge: stack.apiTlsUrl ?? '' }).filter(
    ([name]) => name !== 'object-store',
  );
  const grpc = { mission: grpcAddress, credential: credentialGrpcAddress, log: logGrpcAddress };
  const identity = { identity: person };
  return [
    ...http.map(([name, url]) => ({ name, port: portOf(url) })),
    ...Object.entries(grpc).map(([name, address]) => ({ name: `gRPC of ${name}`, port: portOf(`grpc://${address}`) })),
    { name: 'broker, programs', port: portOf(infrastructure.mqttUrl), hello: identity },
    { name: 'broker, docks', port: portOf(infrastructure.dockMqttUrl), isForDocks: true },
    { name: 'Redis', port: portOf(infrastructure.redisUrl), hello: identity },
    { name: 'NATS', port: portOf(infrastructure.natsUrl), hello: { ...identity, before: beginNats } },
    { name: 'PostgreSQL', port: portOf(infrastructure.databaseUrl), hello: { ...identity, before: beginPostgres } },
  ];
}

/** By the name of the listener: what it said to each hello. */
async function answersTo(hellos: (listener: Listener) => readonly TlsHello[]): Promise<Record<string, string[]>> {
  const answered: Record<string, string[]> = {};
  for (const listener of listeners()) {
    answered[listener.name] = [];
    for (const hello of hellos(listener)) {
      const answer = await tryTls(listener.port, { ...listener.hello, ...hello });
      const said = 'agreed' in answer ? answer.agreed.split(' ')[0] : 'refused';
      answered[listener.name]?.push(`${hello.suites ?? hello.version}: ${said}`);
    }
  }
  return answered;
}

const sameOfAll = (value: readonly string[]) =>
  Object.fromEntries(listeners().map(({ name }): [string, readonly string[]] => [name, value]));

it('flies a mission over TLS from the API to the dock', async () => {
  const dock = await world.dock();
  const mission = await world.immediate(dock);
  expect((await world.ended(mission.id)).state).toBe('succeeded');
  await eventually('its media are there', () => dock.mediaUploaded.length > 0, 30_000);
}, 120_000);

it('speaks TLS 1.2 and 1.3 at each listener, and nothing before', async () => {
  const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
  const answered = await answersTo(() => versions.map((version) => ({ version })));
  expect(answered).toEqual(sameOfAll(['TLSv1: refused', 'TLSv1.1: refused', 'TLSv1.2: TLSv1.2', 'TLSv1.3: TLSv1.3']));
}, 60_000);

it('agrees on no weak suite', async () => {
  // What notices a changed byte a little late is left to docks.
  const isTried = (suite: string, { isForDocks }: Listener): boolean =>
    isForDocks !== true || !suite.startsWith('ECDHE-ECDSA-AES');
  const answered = await answersTo((listener) =>
    WEAK_SUITES.filter((suite) => isTried(suite, listener)).map((suites) => ({ version: 'TLSv1.2', suites })),
  );
  expect(Object.keys(answered).length).toBeGreaterThanOrEqual(13);
  const agreed = Object.entries(answered).flatMap(([name, said]) =>
    said.filter((each) => !each.endsWith('refused')).map((each) => `${name}: ${each}`),
  );
  expect(agreed).toEqual([]);
}, 60_000);

it('lets nobody in who speaks plainly, whatever password is shown', async () => {
  const { infrastructure, serviceUrls } = world.stack;
  const { mqttUrl, dockMqttUrl, natsUrl, redisUrl, databaseUrl, logins } = infrastructure;
  const plainMqtt = (url: string): Promise<unknown> =>
    mqtt.connectAsync(url.replace('mqtts:', 'mqtt:'), {
      ...logins.observer,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
    });
  await expect(plainMqtt(mqttUrl)).rejects.toThrow();
  await expect(plainMqtt(dockMqttUrl)).rejects.toThrow();

  const database = new Client({ connectionString: databaseUrl.split('?')[0] });
  database.on('error', () => undefined);
  await expect(database.connect()).rejects.toThrow(/no pg_hba\.conf entry .* no encryption/);

  const redis = new Redis(redisUrl.replace('rediss:', 'redis:'), { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  await expect(redis.connect()).rejects.toThrow();

  for (const url of Object.values(serviceUrls).filter((each) => each.startsWith('https:'))) {
    await expect(fetch(`${url.replace('https:', 'http:')}/healthz`)).rejects.toThrow('fetch failed');
  }
  const { username, password } = new URL(natsUrl);
  const server = { servers: [new URL(natsUrl).host], user: username, pass: password, reconnect: false, timeout: 5_000 };
  // It asks for TLS, and this client goes along; without our authority, and without a certificate, it does not get far.
  await expect(connectNats(server)).rejects.toThrow();
  await expect(connectNats({ ...server, tls: { ca: person.ca } })).rejects.toThrow();
}, 60_000);

it('asks each program for a certificate, at every server but the door of docks', async () => {
  const { mqttUrl, dockMqttUrl, redisUrl, databaseUrl, logins } = world.stack.infrastructure;
  const withoutCertificate = { ca: person.ca, reconnectPeriod: 0, connectTimeout: 5_000 };
  await expect(mqtt.connectAsync(mqttUrl, { ...logins.observer, ...withoutCertificate })).rejects.toThrow();
  const stranger = mqtt.connectAsync(dockMqttUrl, { username: 'nobody', password: 'none', ...withoutCertificate });
  // It gets as far as its password.
  await expect(stranger).rejects.toThrow(/Not authorized/i);

  const redis = new Redis(redisUrl, { tls: { ca: person.ca }, lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  await expect(redis.connect().then(() => redis.ping())).rejects.toThrow();
  redis.disconnect();

  const database = new Client({ connectionString: databaseUrl.split('?')[0], ssl: { ca: person.ca } });
  database.on('error', () => undefined);
  await expect(database.connect()).rejects.toThrow('connection requires a valid client certificate');
}, 60_000);

it('tells browsers to stay with TLS where they came over it', async () => {
  const { stack } = world;
  const header = 'strict-transport-security';
  expect((await stack.ask(`${stack.apiTlsUrl}/api/v1/openapi.json`)).headers[header]).toBe('max-age=31536000');
  const plain = await stack.ask(`${stack.apiUrl}/api/v1/openapi.json`);
  expect([plain.status, plain.headers[header]]).toEqual([200, undefined]);
});

it('shows no secret in the arguments and the environment of any process, and keeps those in files to itself', () => {
  const { stack, directory } = world;
  const { natsUrls, redisUrls, databaseUrl, databasePasswords, logins } = stack.infrastructure;
  const secrets = [
    ...[...Object.values(natsUrls), ...Object.values(redisUrls), databaseUrl].map((url) => new URL(url).password),
    ...[...Object.values(databasePasswords), ...Object.values(logins).map(({ password }) => password)],
    ...[stack.storageKeys.secretAccessKey, stack.apiKey],
  ];
  expect(new Set(secrets).size).toBeGreaterThan(15);
  const shown = Object.entries(stack.pids).flatMap(([name, pid]) =>
    ['cmdline', 'environ'].flatMap((file) => {
      const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
      expect(text.length).toBeGreaterThan(10);
      return secrets.some((secret) => text.includes(secret)) ? [`${name}: ${file}`] : [];
    }),
  );
  expect(shown).toEqual([]);
  const files = readdirSync(path.join(directory, 'tls'), { recursive: true, withFileTypes: true });
  const open = files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .filter((file) => (statSync(file).mode & 0o077) !== 0);
  expect(open).toEqual([]);
  expect(files.length).toBeGreaterThan(20);
});

it('is found healthy by the doctor, and not any more when the broker is stopped, which is named with what to do', async () => {
  const examine = async (): Promise<readonly Finding[]> => judge(await lookAtRun(runOf(world.stack)));
  const complaints = (findings: readonly Finding[]): readonly Finding[] =>
    findings.filter(({ verdict }) => verdict === 'bad');
  const well = await examine();
  expect(complaints(well)).toEqual([]);
  expect(well.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      ...['PostgreSQL', 'Redis', 'NATS', 'the MQTT broker', 'storage', 'certificates', 'outbox_oldest_seconds'],
      ...['consumer_unhandled_messages', 'sweep_behind_seconds', 'mission-service', 'edge'],
    ]),
  );

  await world.stack.infrastructure.process('mosquitto').stop();
  const ill = await eventually('the ingress misses its broker', async () => {
    const findings = await examine();
    return findings.some(({ what, verdict }) => what === 'ingress_links_down' && verdict === 'bad') && findings;
  });
  expect(isHealthy(ill)).toBe(false);
  expect(complaints(ill)).toContainEqual(
    expect.objectContaining({ what: 'the MQTT broker', toDo: expect.stringContaining('Start the MQTT broker') }),
  );
  expect(complaints(ill).map(({ what }) => what)).not.toContain('PostgreSQL');
}, 60_000);

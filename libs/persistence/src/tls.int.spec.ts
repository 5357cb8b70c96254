import { readFileSync } from 'node:fs';
import { Peer, Secret } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import {
  type Authority,
  type ByteWatcher,
  type PrivateServer,
  makeAuthority,
  startPrivatePostgres,
  watchBytes,
} from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { openDatabase } from './open-database.js';

const logger = createLogger('tls-spec', 'silent');

describe('PostgreSQL with TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  let postgres: PrivateServer;
  let watcher: ByteWatcher | undefined;
  const opened: DataSource[] = [];

  const open = (peer: Peer): Promise<DataSource> => {
    const dataSource = createDataSource({
      ...{ url: peer, applicationName: 'tls-spec', schema: 'public', migrations: [], logger },
      ...{ poolSize: 2, warmConnections: 1, statementTimeoutMs: 2_000 },
    });
    opened.push(dataSource);
    return openDatabase(dataSource, logger);
  };

  beforeAll(async () => {
    authority = await makeAuthority();
    stranger = await makeAuthority('another authority');
    const { cert, key } = await authority.issue();
    const files = [`ssl_cert_file=${cert}`, `ssl_key_file=${key}`, `ssl_ca_file=${authority.ca}`];
    postgres = await startPrivatePostgres(['ssl=on', ...files]);
  });
  afterAll(async () => {
    await postgres?.remove();
    authority?.remove();
    stranger?.remove();
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) if (each.isInitialized) await each.destroy();
    await watcher?.close();
    watcher = undefined;
  });

  it('is reached when its authority has signed the certificate of the server', async () => {
    const dataSource = await open(new Peer(postgres.url, { ca: authority.caPem }));
    const answer = dataSource.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await expect(answer).resolves.toEqual([{ ssl: true }]);
  });

  it('gets our certificate where we have one', async () => {
    const { cert, key } = await authority.issue('aerie');
    const own = { cert: readFileSync(cert, 'utf8'), key: new Secret(readFileSync(key, 'utf8')) };
    const dataSource = await open(new Peer(postgres.url, { ca: authority.caPem, ...own }));
    const answer = dataSource.query('SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await expect(answer).resolves.toEqual([{ client_dn: '/CN=aerie' }]);
  });

  it('is refused by the setting when another authority has signed the certificate', async () => {
    const opening = open(new Peer(postgres.url, { ca: stranger.caPem }));
    await expect(opening).rejects.toThrow('DATABASE_CA_FILE does not hold the authority');
  });

  it('is refused when the certificate is for another host', async () => {
    const url = postgres.url.replace('127.0.0.1', 'localhost');
    const opening = open(new Peer(url, { ca: authority.caPem }));
    await expect(opening).rejects.toThrow('DATABASE_URL names the host localhost');
  });

  it('sends no password, nor its user, to a server that offers no TLS, and names the setting', async () => {
    watcher = await watchBytes({ answer: 'N' });
    const url = `postgres://somebody:hunter2@127.0.0.1:${watcher.port}/aerie`;
    await expect(open(new Peer(url, {}))).rejects.toThrow('DATABASE_URL leads to a server that does not speak TLS');
    expect(watcher.connections()).toBe(1);
    // The request for TLS has 8 bytes and no word.
    expect(watcher.received()).toHaveLength(8);
  });
});

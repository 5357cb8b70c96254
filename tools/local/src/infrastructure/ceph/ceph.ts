import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePorts, listening } from '@aerie/loopback';
import { Problem } from '../problem.js';
import { LocalProcess } from '../processes.js';
import { cephConfig } from './ceph-config.js';
import { unpackDebianPackages } from './debian-packages.js';

const PACKAGES = ['ceph-mon', 'ceph-osd', 'ceph-common', 'radosgw'];
const GATEWAY = 'client.rgw';
const USER = 'conformance';
const ROLE = 'uploader';
const COMMAND_WITHIN_MS = 60_000;
const MONITOR_WITHIN_MS = 20_000;
/** It waits for the disk and then makes its pools: eight seconds on two idle cores. */
const GATEWAY_WITHIN_MS = 120_000;

export interface CephGateway {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly roleArn: string;
  /** Lower than the 900 s of AWS, so that a test can see a session end. */
  readonly shortestSessionSeconds: number;
  stop(): Promise<void>;
}

/**
 * A new, empty Ceph cluster with its S3 gateway, as whoever runs this: no root, and nothing outside of `directory` and
 * `packages`.
 */
export async function startCeph(
  directory: string,
  packages: string,
  say: (text: string) => void,
): Promise<CephGateway> {
  if (!existsSync(packages)) {
    say('Fetching Ceph as Debian packages, about 95 MB …');
    unpackDebianPackages(packages, PACKAGES);
  }
  say('Starting Ceph …');
  const cluster = await CephCluster.create(directory, packages);
  try {
    return await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class CephCluster {
  /** In the order of their start. */
  private readonly processes: LocalProcess[] = [];

  private constructor(
    private readonly directory: string,
    private readonly data: string,
    private readonly programs: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly ports: { readonly monitor: number; readonly gateway: number },
  ) {}

  static async create(directory: string, packages: string): Promise<CephCluster> {
    const data = path.join(directory, 'ceph');
    rmSync(data, { recursive: true, force: true });
    for (const folder of ['mon', 'osd', 'rgw']) mkdirSync(path.join(data, folder), { recursive: true, mode: 0o700 });
    const libraryFolders = ['usr/lib', 'lib'].flatMap((folder) => architectureFolders(path.join(packages, folder)));
    const libraries = libraryFolders.find((folder) => existsSync(path.join(folder, 'rados-classes')));
    if (libraries === undefined) {
      throw new Problem(`The fetched packages are not complete. Remove ${packages} and start again.`);
    }
    const [monitor = 0, gateway = 0] = await freePorts(2);
    const clusterId = randomUUID();
    const config = path.join(data, 'ceph.conf');
    writeFileSync(
      config,
      cephConfig({
        ...{ directory: data, libraries, clusterId, monitorPort: monitor, gatewayPort: gateway },
        tokenKey: randomBytes(8).toString('hex'),
      }),
      { mode: 0o600 },
    );
    const env = {
      ...process.env,
      CEPH_CONF: config,
      LD_LIBRARY_PATH: [path.join(libraries, 'ceph'), ...libraryFolders].join(':'),
    };
    const cluster = new CephCluster(directory, data, path.join(packages, 'usr/bin'), env, { monitor, gateway });
    cluster.format(clusterId);
    return cluster;
  }

  /** Keys, the first maps of the cluster, and its disk. A disk that the map names but does not know enrols itself. */
  private format(clusterId: string): void {
    const [keyring, monitors, disks] = ['keyring', 'monmap', 'osdmap'].map((name) => path.join(this.data, name));
    if (keyring === undefined || monitors === undefined || disks === undefined) throw new Error('unreachable');
    const allow = (...capabilities: string[]): string[] =>
      capabilities.flatMap((text) => ['--cap', ...text.split(':')]);
    const newKey = ['--gen-key', '-n'];
    this.run('ceph-authtool', ['--create-keyring', keyring, ...newKey, 'mon.', ...allow('mon:allow *')]);
    this.run('ceph-authtool', [keyring, ...newKey, 'osd.0', ...allow('mon:allow profile osd', 'osd:allow *')]);
    this.run('ceph-authtool', [keyring, ...newKey, GATEWAY, ...allow('mon:allow rw', 'osd:allow rwx')]);
    const address = `[v2:127.0.0.1:${this.ports.monitor}]`;
    this.run('monmaptool', [
      '--create',
      '--fsid',
      clusterId,
      '--addv',
      'a',
      address,
      '--enable-all-features',
      monitors,
    ]);
    this.run('osdmaptool', ['--createsimple', '1', disks]);
    this.run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', monitors, '--osdmap', disks, '--keyring', keyring]);
    copyFileSync(keyring, path.join(this.data, 'mon', 'keyring'));
    this.run('ceph-osd', ['--mkfs', '-i', '0', '--osd-uuid', randomUUID(), '--no-mon-config']);
  }

  async start(): Promise<CephGateway> {
    await this.launch('ceph-mon', ['-i', 'a', '-f'], this.ports.monitor, MONITOR_WITHIN_MS);
    this.processes.push(this.spawn('ceph-osd', ['-i', '0', '-f']));
    await this.launch('radosgw', ['-n', GATEWAY, '-f'], this.ports.gateway, GATEWAY_WITHIN_MS);
    const accessKeyId = `AK${randomBytes(9).toString('hex').toUpperCase()}`;
    const secretAccessKey = randomBytes(20).toString('hex');
    this.admin('user create', { uid: USER, 'display-name': USER, 'access-key': accessKeyId, secret: secretAccessKey });
    this.admin('role create', { 'role-name': ROLE, 'assume-role-policy-doc': WHO_MAY_ASSUME });
    this.admin('role-policy put', { 'role-name': ROLE, 'policy-name': 'all-of-s3', 'policy-doc': ALL_OF_S3 });
    return {
      endpoint: `http://127.0.0.1:${this.ports.gateway}`,
      ...{ accessKeyId, secretAccessKey },
      roleArn: `arn:aws:iam:::role/${ROLE}`,
      shortestSessionSeconds: 1,
      stop: () => this.stop(),
    };
  }

  /** The gateway first: without disk or monitor it would wait for them for minutes. */
  async stop(): Promise<void> {
    for (const process of this.processes.toReversed()) await process.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  private async launch(program: string, args: readonly string[], port: number, withinMs: number): Promise<void> {
    const process = this.spawn(program, args);
    this.processes.push(process);
    if (await listening(port, withinMs, () => process.running)) return;
    throw new Problem(`${program} did not start:\n${process.lastLines()}`);
  }

  private spawn(program: string, args: readonly string[]): LocalProcess {
    return LocalProcess.start(this.directory, program, {
      program: path.join(this.programs, program),
      args,
      env: this.env,
    });
  }

  private admin(command: string, options: Readonly<Record<string, string>>): void {
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.run('radosgw-admin', ['-n', GATEWAY, ...command.split(' '), ...flags]);
  }

  private run(program: string, args: readonly string[]): void {
    const { status, stderr, error } = spawnSync(path.join(this.programs, program), [...args], {
      cwd: this.data,
      env: this.env,
      encoding: 'utf8',
      timeout: COMMAND_WITHIN_MS,
    });
    if (status === 0) return;
    const lastWords = stderr?.trim().split('\n').slice(-8).join('\n');
    throw new Problem(`${program} ${args[0]} failed:\n${lastWords || String(error)}`);
  }
}

const architectureFolders = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => path.join(folder, name))
    : [];

const policy = (...statements: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

/**
 * To Ceph a session is still the user who asked for it. Without the denial it could assume the role again, this time
 * with no policy of its own, and so leave its prefix.
 */
const WHO_MAY_ASSUME = policy(
  { Effect: 'Allow', Principal: { AWS: [`arn:aws:iam:::user/${USER}`] }, Action: ['sts:AssumeRole'] },
  { Effect: 'Deny', Principal: { AWS: [`arn:aws:iam:::role/${ROLE}`] }, Action: ['sts:AssumeRole'] },
);
const ALL_OF_S3 = policy({ Effect: 'Allow', Action: ['s3:*'], Resource: 'arn:aws:s3:::*' });

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type Engine,
  STAND_INS,
  Site,
  buildImages,
  checkDeploy,
  findEngine,
  makeStandIns,
  playKube,
  staticFindings,
} from '@aerie/deploy';
import { makeSampleKmz } from '@aerie/dock-simulator';
import { freePorts } from '@aerie/loopback';
import { Problem } from '../infrastructure/problem.js';
import { Api, good, registerDock } from '../stack/api.js';
import { hasEnded } from '../stack/has-ended.js';

const TAG = 'test';
/** Of its own, so that a site that runs here is left alone. */
const PROJECT = 'aerie-test';
const DOCK = { sn: 'DOCK-IMAGES-1', model: 'dock2', name: 'Dock of the images' };
const UP_WITHIN_MS = 300_000;
const FLOWN_WITHIN_MS = 180_000;
const HOME = { originLatitude: 47.3769, originLongitude: 8.5417 };

/**
 * Builds the image of every program, starts the Compose file, flies a mission through it, restarts each container once and
 * flies again. `--static` needs no engine: it looks at the Dockerfile, the Compose file and the manifests.
 */
export async function testImages(root: string, args: readonly string[]): Promise<number> {
  if (args.includes('--static')) return testStatically(root);
  const engine = findEngine();
  if (typeof engine === 'string') throw new Problem(engine);
  console.log(`${engine.version}, Compose files by ${engine.compose.join(' ')}`);
  const standIns = args.includes('--stand-ins');
  if (standIns) {
    const directory = path.join(root, '.aerie', 'images');
    await makeStandIns({ engine, root, directory, say: console.log });
  }
  const nodeImage = standIns ? { nodeImage: STAND_INS.AERIE_NODE_IMAGE } : {};
  const findings = await buildImages({
    engine,
    root,
    tag: TAG,
    ...nodeImage,
    buildArgs: buildArgs(engine, root),
    say: console.log,
  });
  for (const finding of findings) console.error(finding);
  const flown = await flyThrough(engine, root, standIns ? STAND_INS : {});
  return findings.length === 0 && flown ? 0 : 1;
}

async function testStatically(root: string): Promise<number> {
  const findings = staticFindings(root);
  for (const finding of findings) console.error(finding);
  console.log(`Dockerfile and Compose file: ${findings.length} findings`);
  const deploy = await checkDeploy(root, []);
  return findings.length === 0 && deploy === 0 ? 0 : 1;
}

/** Behind a proxy with a certificate of its own, npm has to know that one inside the build too. */
function buildArgs({ program }: Engine, root: string): string[] {
  const ca = process.env['NODE_EXTRA_CA_CERTS'];
  // Docker mounts nothing into a build: there such a certificate belongs into the base image.
  if (ca === undefined || !existsSync(ca) || program === 'docker') return ['--network', 'host'];
  const directory = path.join(root, '.aerie', 'images');
  mkdirSync(directory, { recursive: true });
  const npmrc = path.join(directory, 'npmrc');
  writeFileSync(npmrc, 'cafile=/run/extra-ca.crt\n');
  return ['--network', 'host', '--volume', `${ca}:/run/extra-ca.crt:ro`, '--volume', `${npmrc}:/root/.npmrc:ro`];
}

async function flyThrough(engine: Engine, root: string, images: Readonly<Record<string, string>>): Promise<boolean> {
  const [api = 0, mqtt = 0, plain = 0, storage = 0] = await freePorts(4);
  const site = new Site(engine, root, PROJECT, {
    ...images,
    AERIE_HOST: ownAddress(),
    AERIE_VERSION: TAG,
    AERIE_API_PORT: String(api),
    AERIE_MQTT_PORT: String(mqtt),
    AERIE_PLAIN_MQTT_PORT: String(plain),
    AERIE_DOCK_PORT: String(mqtt),
    AERIE_STORAGE_PORT: String(storage),
  });
  const directory = mkdtempSync(path.join(os.tmpdir(), 'aerie-images-'));
  let simulator: ChildProcess | undefined;
  try {
    await site.compose(['down', '--volumes']);
    console.log('Starting the site …');
    await site.must(['up', '--detach', '--no-build'], 10);
    const apiUrl = `http://127.0.0.1:${api}`;
    await answers(apiUrl);
    const key = await keyOf(site);
    const client = new Api(apiUrl, key);
    const dock = await registered(client);
    console.log(`Dock ${DOCK.sn} is registered; docks connect to ${dock.mqttUrl}`);
    const ca = path.join(directory, 'ca.crt');
    writeFileSync(ca, certificateIn(await site.must(['exec', '-T', 'mosquitto', 'cat', '/run/aerie/ca.crt'])));
    simulator = simulate(root, directory, ca, dock);
    await fly(client, 'first');
    const services = (await site.must(['config', '--services'])).split('\n').filter((name) => /^[a-z-]+$/.test(name));
    for (const name of services.filter((each) => !/^(?:setup|migrate-.*|prometheus|grafana)$/.test(each))) {
      console.log(`Restarting ${name} …`);
      await site.must(['restart', name], 3);
    }
    await answers(apiUrl);
    await fly(client, 'after each container was restarted');
    if (engine.program === 'podman') await flyOnPods(site, root, client, apiUrl);
    else console.log('The pods of k8s/ were not tried: `play kube` is what podman has.');
    return true;
  } catch (error) {
    const { output } = await site.compose(['logs', '--tail', '5']);
    console.error(output.slice(-8_000));
    console.error(error instanceof Error ? error.message : error);
    return false;
  } finally {
    simulator?.kill('SIGTERM');
    await site.compose(['down', '--volumes']);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same with pods of the manifests in the place of two containers. */
async function flyOnPods(site: Site, root: string, client: Api, apiUrl: string): Promise<void> {
  const programs = ['mission-service', 'mqtt-ingress'];
  console.log(`Running ${programs.join(' and ')} as k8s/overlays/local has them …`);
  await site.must(['stop', ...programs]);
  const end = await playKube(site, { programs, root, project: PROJECT, tag: TAG });
  try {
    await answers(apiUrl);
    await fly(client, 'on pods of the manifests');
  } finally {
    await end();
  }
}

/** Every service behind the edge answers somebody without a key as it should. */
async function answers(apiUrl: string): Promise<void> {
  const paths = ['/missions', '/docks', '/log-uploads', '/storage'];
  const startedMs = Date.now();
  for (;;) {
    const all = await Promise.all(
      paths.map((at) =>
        fetch(`${apiUrl}/api/v1${at}`).then(
          ({ status }) => status,
          () => 0,
        ),
      ),
    );
    if (all.every((status) => status === 401)) return;
    if (Date.now() - startedMs > UP_WITHIN_MS) {
      throw new Error(`the site does not answer: ${paths.map((at, index) => `${at} ${all[index]}`).join(', ')}`);
    }
    await pause(1_000);
  }
}

async function keyOf(site: Site): Promise<string> {
  const node = ['/usr/local/bin/node', 'dist/create-api-key.js', '--name', 'test'];
  const printed = await site.must(['exec', '-T', 'fleet-service', ...node]);
  const key = /^[\w-]{20,}$/m.exec(printed)?.[0];
  if (key === undefined) throw new Error(`no API key was printed:\n${printed}`);
  return key;
}

/** The broker may be on its way up still. */
async function registered(client: Api) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await registerDock(client, DOCK.sn, DOCK.model, DOCK.name);
    } catch (error) {
      if (attempt === 30) throw error;
      await pause(2_000);
    }
  }
}

const certificateIn = (printed: string): string =>
  /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(printed)?.[0] ?? '';

function simulate(root: string, directory: string, ca: string, dock: Awaited<ReturnType<typeof registerDock>>) {
  const { mqttUrl, mqttUser, mqttPassword, bindingCode, organisationId } = dock;
  const credentials = path.join(directory, 'docks.json');
  writeFileSync(credentials, JSON.stringify([{ sn: DOCK.sn, mqttUser, mqttPassword, bindingCode, organisationId }]), {
    mode: 0o600,
  });
  const main = path.join(root, 'apps/dock-simulator/dist/main.js');
  const position = `${HOME.originLatitude},${HOME.originLongitude}`;
  return spawn(
    process.execPath,
    [main, '--credentials', credentials, '--mqtt-url', mqttUrl, '--position', position, '--keep-session'],
    { stdio: 'ignore', env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } },
  );
}

interface MissionView {
  readonly id: string;
  readonly state: string;
  readonly cause: unknown;
}

async function fly(client: Api, which: string): Promise<void> {
  const startedMs = Date.now();
  const wayline = good(await client.upload<{ id: string }>('/waylines?name=images', await makeSampleKmz(HOME)));
  const create = () =>
    client.post<MissionView>('/missions', {
      ...{ dockSn: DOCK.sn, waylineId: wayline.id, kind: 'immediate', rthAltitudeMeters: 80 },
    });
  let answer = await create();
  // The dock may be on its way online still.
  while (answer.status >= 400 && Date.now() - startedMs < FLOWN_WITHIN_MS) {
    await pause(2_000);
    answer = await create();
  }
  let mission = good(answer);
  while (!hasEnded(mission.state) && Date.now() - startedMs < FLOWN_WITHIN_MS) {
    await pause(500);
    mission = good(await client.get<MissionView>(`/missions/${mission.id}`));
  }
  if (mission.state !== 'succeeded')
    throw new Error(`the mission ${which} is ${mission.state}: ${JSON.stringify(mission.cause)}`);
  console.log(`A mission flew (${which}) within ${Math.round((Date.now() - startedMs) / 1_000)} s.`);
}

/** Containers reach this machine by it, as docks would; 127.0.0.1 is each container itself. */
function ownAddress(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (own === undefined) throw new Problem('This machine has no IPv4 address that containers could reach.');
  return own.address;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

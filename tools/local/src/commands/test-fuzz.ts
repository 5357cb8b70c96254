import { randomBytes } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type DockHandle, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { Api, good, registerDock } from '../stack/api.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { type ApiDocument, type KnownIds, withKnownIds } from './fuzz/things-that-are-there.js';

const DEFAULT_EXAMPLES = '50';
/** By the names of their files in docs/api. */
const DOCUMENTS = ['openapi', 'fleet.openapi', 'log.openapi', 'credential.openapi'] as const;
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 450 };
const DOCKS = 3;
const INSTALL_LIMIT_MS = 300_000;

/**
 * Schemathesis, which nobody here wrote, asks every operation of every document for what the document allows and for
 * what it forbids: no answer may be a 5xx, and none may be outside the document. Outside CI: it needs Python.
 */
export async function testFuzz(root: string, [examples = DEFAULT_EXAMPLES]: readonly string[]): Promise<number> {
  const seed = process.env['AERIE_SEED'] ?? String(Date.now() % 1_000_000);
  const program = install(root);
  const folder = path.join(root, '.aerie', 'fuzz', 'reports');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log(`Seed ${seed} (AERIE_SEED repeats it), ${examples} requests an operation and phase.`);
  const stackOptions = {
    ...{ root, directory: path.join(root, '.aerie', 'fuzz', 'run'), say: () => undefined },
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    env: { 'fleet-service': withProviders(path.join(root, '.aerie', 'fuzz')) },
  };
  return withStack(stackOptions, async (stack) => {
    const docks: DockHandle[] = [];
    const failed: string[] = [];
    try {
      const known = await furnish(stack, docks);
      for (const name of DOCUMENTS) {
        const source = path.join(root, 'docs', 'api', `${name}.json`);
        const file = path.join(folder, `${name}.json`);
        const document = JSON.parse(readFileSync(source, 'utf8')) as ApiDocument;
        writeFileSync(file, JSON.stringify(withKnownIds(document, known)));
        console.log(`\n${name}: ${Object.keys(document.paths).length} paths`);
        for (const [part, filter] of partsOf(name)) {
          const asking = { root, program, file, folder, name: `${name}${part}`, filter, stack, examples, seed };
          if ((await ask(asking)) !== 0) failed.push(asking.name);
        }
      }
      await showThatAllIsWell(stack);
    } finally {
      await Promise.all(docks.map((dock) => dock.stop()));
    }
    for (const name of failed)
      console.error(`${name}: something was answered that may not be; ${folder} has all of it.`);
    return failed.length === 0 ? 0 : 1;
  });
}

/** In a folder of its own, in the versions of its file. */
function install(root: string): string {
  const home = path.join(root, '.aerie', 'fuzz', 'python');
  const wanted = path.join(root, 'tools', 'local', 'fuzz', 'requirements.txt');
  const stamp = path.join(home, 'installed.txt');
  const program = path.join(home, 'bin', 'schemathesis');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(wanted, 'utf8')) return program;
  if (spawnSync('python3', ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 10))']).status !== 0)
    throw new Problem(
      'Schemathesis needs python3 from 3.10 on with venv, which is not on this machine: nothing was tried.',
    );
  console.log('Fetching Schemathesis …');
  rmSync(home, { recursive: true, force: true });
  for (const [command, args] of [
    ['python3', ['-m', 'venv', home]],
    [path.join(home, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', wanted]],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (status !== 0) throw new Problem(`Schemathesis could not be fetched (${command}):\n${stdout}${stderr}`);
  }
  writeFileSync(stamp, readFileSync(wanted, 'utf8'));
  return program;
}

/** Docks that fly, a route, a mission that was flown, and logs of it. */
async function furnish(stack: Stack, docks: DockHandle[]): Promise<KnownIds> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  const kmz = await makeSampleKmz({
    ...{ originLatitude: HOME.latitude, originLongitude: HOME.longitude },
    ...{ waypoints: 3, aircraft: 'M3TD' },
  });
  const waylineId = good(await api.upload<{ id: string }>('/waylines?name=fuzz', kmz)).id;
  const sns = Array.from({ length: DOCKS }, (_, number) => `FUZZ-${number + 1}`);
  for (const sn of sns) {
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await registerDock(api, sn, 'dock2', sn);
    const connection = { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode };
    docks.push(await startDock({ sn, ...connection, position: HOME, speed: 60, osdIntervalMs: 2_000 }));
  }
  await Promise.all(docks.map((dock) => dock.waitFor('online', 30_000)));
  const [first = ''] = sns;
  const flight = { dockSn: first, waylineId, kind: 'immediate', rthAltitudeMeters: 60 };
  const missionId = good(await api.post<{ id: string }>('/missions', flight)).id;
  const uploadId = good(
    await api.post<{ id: string }>('/log-uploads', {
      dockSn: sns[1],
      latest: { count: 1, modules: ['dock'] },
    }),
  ).id;
  return { docks: sns, waylines: [waylineId], missions: [missionId], 'log-uploads': [uploadId] };
}

/** What takes its key from whoever asks is asked without the phase that follows the ids in answers. */
const ENDS_KEYS = '--%-operation-id-regex=^(revoke|rotate)';
function partsOf(name: string): readonly (readonly [string, readonly string[]])[] {
  if (name !== 'fleet.openapi') return [['', []]];
  return [
    ['', [ENDS_KEYS.replace('%', 'exclude')]],
    ['.keys', [ENDS_KEYS.replace('%', 'include'), '--phases=examples,coverage,fuzzing']],
  ];
}

interface Asking {
  readonly root: string;
  readonly program: string;
  readonly file: string;
  readonly folder: string;
  readonly name: string;
  readonly filter: readonly string[];
  readonly stack: Stack;
  readonly examples: string;
  readonly seed: string;
}

function ask({ root, program, file, folder, name, filter, stack, examples, seed }: Asking): Promise<number> {
  const config = path.join(root, 'tools', 'local', 'fuzz', 'schemathesis.toml');
  const report = ['--report', 'junit', '--report-junit-path', path.join(folder, `${name}.junit.xml`)];
  const child = spawn(
    program,
    [
      '--config-file',
      config,
      'run',
      file,
      '--url',
      stack.apiUrl,
      '--max-examples',
      examples,
      '--seed',
      seed,
      '--no-color',
      ...filter,
      ...report,
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, AERIE_API_KEY: stack.apiKey },
    },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Without these settings every route of identity providers answers that it is off. */
function withProviders(folder: string): Readonly<Record<string, string>> {
  const keyFile = path.join(folder, 'sign-in-keys');
  writeFileSync(keyFile, `one ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return {
    FLEET_KEY_FILE: keyFile,
    FLEET_SIGN_IN_RETURN_URL: 'http://localhost:4000/api/v1/sign-in/oidc/callback',
  };
}

/** A key that was revoked by chance, or a program that ended, would make the rest of the run worthless. */
async function showThatAllIsWell(stack: Stack): Promise<void> {
  const api = new Api(stack.apiUrl, stack.apiKey);
  for (let attempt = 1; ; attempt++) {
    const answers = await Promise.all(['/missions', '/docks', '/log-uploads', '/storage'].map((of) => api.get(of)));
    const statuses = answers.map(({ status }) => status);
    if (statuses.every((status) => status === 200)) return;
    if (attempt === 10)
      throw new Problem(`Afterwards Aerie answers ${statuses.join(', ')} where it has to answer 200.`);
    await setTimeout(1_000);
  }
}

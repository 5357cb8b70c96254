import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fleetSn } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { Api, registerDock } from '../stack/api.js';

const DEFAULT_MODEL = 'dock2';
const DEFAULT_PREFIX = 'SIM';

/** Runs simulated docks: on the Aerie that runs here with `--register N`, else on any broker. */
export async function sim(root: string, args: readonly string[]): Promise<number> {
  const count = valueOf(args, 'register');
  if (count === undefined) return simulate(root, args);
  refuseWhatIsRegistered(args);
  const directory = mkdtempSync(path.join(os.tmpdir(), 'aerie-sim-'));
  try {
    const registered = await register(root, Number(count), args);
    const credentials = path.join(directory, 'docks.json');
    writeFileSync(credentials, JSON.stringify(registered.docks), { mode: 0o600 });
    const options = without(args, 'register');
    return await simulate(root, [
      ...options,
      '--credentials',
      credentials,
      '--mqtt-url',
      registered.mqttUrl,
      ...verifiedBy(registered.ca),
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Before any dock gets new credentials: those that it has would be lost for an option that cannot be heeded. */
function refuseWhatIsRegistered(args: readonly string[]): void {
  const told = TOLD_BY_REGISTER.find((name) => valueOf(args, name) !== undefined);
  if (told === undefined) return;
  throw new Problem(
    `--${told} cannot go with --register, which registers as many docks as it says in the running Aerie.`,
  );
}

const TOLD_BY_REGISTER = ['docks', 'credentials', 'mqtt-url', 'mqtt-ca', 'mqtt-user', 'mqtt-password'] as const;

async function register(root: string, count: number, args: readonly string[]) {
  const base = process.env['AERIE_DIRECTORY'] ?? path.join(root, '.aerie');
  const runFile = path.join(base, 'run.json');
  if (!existsSync(runFile)) {
    throw new Problem('--register needs a running Aerie, and nothing runs here. Start it by `npm start`.');
  }
  const run = JSON.parse(readFileSync(runFile, 'utf8')) as {
    readonly apiUrl: string;
    readonly apiKey: string;
    readonly dockMqttUrl: string;
    readonly tls?: { readonly ca: string };
  };
  const api = new Api(run.apiUrl, run.apiKey);
  const model = valueOf(args, 'model') ?? DEFAULT_MODEL;
  const docks = [];
  for (let number = 1; number <= count; number++) {
    const sn = fleetSn(valueOf(args, 'sn-prefix') ?? DEFAULT_PREFIX, number);
    const { mqttUser, mqttPassword, bindingCode, organisationId } = await registerDock(api, sn, model, sn);
    docks.push({ sn, mqttUser, mqttPassword, bindingCode, organisationId });
  }
  console.log(`registered ${count} dock(s), ${docks[0]?.sn} to ${docks.at(-1)?.sn}, at ${run.apiUrl}`);
  return { docks, mqttUrl: run.dockMqttUrl, ca: run.tls?.ca };
}

const verifiedBy = (ca: string | undefined): string[] => (ca === undefined ? [] : ['--mqtt-ca', ca]);

/** Of `--name value` or `--name=value`. */
function valueOf(args: readonly string[], name: string): string | undefined {
  const index = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (index < 0) return undefined;
  const [, joined] = /^[^=]*=(.*)$/.exec(args[index] ?? '') ?? [];
  return joined ?? args[index + 1];
}

function without(args: readonly string[], name: string): string[] {
  const index = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  return args.toSpliced(index, args[index] === `--${name}` ? 2 : 1);
}

function simulate(root: string, args: readonly string[]): Promise<number> {
  const script = path.join(root, 'apps', 'dock-simulator', 'dist', 'main.js');
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the simulator too; it says goodbye, and then we end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

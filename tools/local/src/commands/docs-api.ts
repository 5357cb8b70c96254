import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type DescribedApi, withAccess } from '../api-docs/access.js';
import { asyncApi } from '../api-docs/asyncapi.js';
import { withGeneratedPart } from '../api-docs/generated-part.js';
import { metricsOf, metricsPart } from '../api-docs/metrics.js';
import { type PrintedProgram, settingsPart } from '../api-docs/settings.js';
import { Problem } from '../infrastructure/problem.js';

/** The services that describe their HTTP API, each with its document. */
const OPENAPI_FILES: Readonly<Record<string, string>> = {
  'mission-service': 'docs/api/openapi.json',
  'credential-service': 'docs/api/credential.openapi.json',
  'log-service': 'docs/api/log.openapi.json',
  'fleet-service': 'docs/api/fleet.openapi.json',
};
const ASYNCAPI_FILE = 'docs/api/asyncapi.json';

export const API_FILES: readonly string[] = [...Object.values(OPENAPI_FILES), ASYNCAPI_FILE];

/** Has who may do what, between two lines. */
export const ACCESS_FILE = 'docs/access.md';

/** Has each setting of each program, between two lines. */
export const SETTINGS_FILE = 'docs/settings.md';

/** Has each metric of each program, between two lines. */
export const METRICS_FILE = 'docs/metrics.md';

interface Page {
  readonly file: string;
  readonly text: string;
}

/** Writes the documents of docs/api, who may do what, all settings and all metrics. `--check` only compares, for CI. `programs` is where the services were built. */
export async function docsApi(root: string, args: readonly string[], programs = root): Promise<number> {
  const documents = Object.entries(OPENAPI_FILES).map(([service, file]) => ({
    file,
    text: openApiOf(service, programs),
  }));
  const access = readFileSync(path.join(root, ACCESS_FILE), 'utf8');
  const settings = readFileSync(path.join(root, SETTINGS_FILE), 'utf8');
  const metrics = readFileSync(path.join(root, METRICS_FILE), 'utf8');
  const pages: readonly Page[] = [
    ...documents,
    {
      file: ACCESS_FILE,
      text: withAccess(
        access,
        documents.map(({ text }) => JSON.parse(text) as DescribedApi),
      ),
    },
    {
      file: SETTINGS_FILE,
      text: withGeneratedPart(settings, 'settings', SETTINGS_FILE, settingsPart(settingsOf(programs))),
    },
    {
      file: METRICS_FILE,
      text: withGeneratedPart(metrics, 'metrics', METRICS_FILE, metricsPart(metricsOf(programs))),
    },
    { file: ASYNCAPI_FILE, text: `${JSON.stringify(asyncApi(), null, 2)}\n` },
  ];
  const differing = pages.filter(({ file, text }) => present(path.join(root, file)) !== text);
  if (args.includes('--check')) {
    for (const { file } of differing) {
      console.error(`${file} does not show the code as it is. Run \`npm run docs:api\` and commit the difference.`);
    }
    return differing.length === 0 ? 0 : 1;
  }
  for (const { file, text } of differing) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    console.log(`Wrote ${file}.`);
  }
  if (differing.length === 0)
    console.log(`docs/api, ${ACCESS_FILE}, ${SETTINGS_FILE} and ${METRICS_FILE} are up to date.`);
  return 0;
}

const present = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);

/** By program. What was built prints the same each time, and a start costs a second of CPU. */
const printed = new Map<string, string>();

/** A program of the service prints it: tools start services, they do not import them. */
const openApiOf = (service: string, programs: string): string =>
  printedBy(path.join(programs, 'apps', service, 'dist', 'print-openapi.js'));

/** One program prints the settings of all: whichever was built has a `config.js`. */
function settingsOf(programs: string): PrintedProgram[] {
  const apps = path.join(programs, 'apps');
  const configs = readdirSync(apps)
    .sort()
    .map((app) => path.join(apps, app, 'dist', 'config.js'))
    .filter((file) => existsSync(file));
  const program = path.join(programs, 'libs', 'service-host', 'dist', 'print-settings.js');
  return JSON.parse(printedBy(program, configs)) as PrintedProgram[];
}

function printedBy(program: string, args: readonly string[] = []): string {
  const known = printed.get(program);
  if (known !== undefined) return known;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Problem(`${program} did not print its document:\n${stderr}`);
  printed.set(program, stdout);
  return stdout;
}

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CONSUMERS } from '@aerie/bus-contract';
import { BROKEN } from './broken.js';
import { type KubeObject, readObjects } from './objects.js';
import { type Known, policyFindings } from './policy.js';
import { findRenderer, render } from './render.js';
import { Schemas } from './schema.js';
import { ApiServer } from './server.js';

const TOOL_LIMIT_MS = 120_000;

/** Applied beside an overlay, for a moment. */
const BESIDE = 'k8s/database-roles';

/**
 * Renders each overlay of `k8s/overlays` with what is applied beside it, judges every object by its schema and by our policy, and shows that broken copies
 * are refused. `--server`: the API server that kubectl reaches judges too, by dry runs. @returns the exit code
 */
export async function checkDeploy(root: string, args: readonly string[]): Promise<number> {
  const renderer = findRenderer();
  if (typeof renderer === 'string') return fail(renderer);
  const server = args.includes('--server') ? ApiServer.find() : undefined;
  if (typeof server === 'string') return fail(server);
  console.log(`Rendering with ${renderer.version}.`);
  if (server !== undefined) console.log(`Asking the API server of ${server.title}, by dry runs: nothing is written.`);
  const schemaFolder = path.join(root, 'tools', 'deploy', 'schemas');
  if (!existsSync(path.join(schemaFolder, 'node_modules'))) {
    console.log('Installing the schemas of Kubernetes (npm ci) …');
    const npm = ['ci', '--prefix', schemaFolder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status, stderr } = spawnSync('npm', npm, { encoding: 'utf8', timeout: TOOL_LIMIT_MS });
    if (status !== 0) return fail(`The schemas could not be installed:\n${stderr}`);
  }
  const schemas = await Schemas.from(schemaFolder);
  const known: Known = {
    routes: routesOfEdge(readFileSync(path.join(root, 'apps/edge/src/routes.ts'), 'utf8')),
    consumers: new Set(CONSUMERS.map(({ stream, durable }) => `${stream}/${durable}`)),
  };
  const judge = async (objects: readonly KubeObject[], overlay: string): Promise<string[]> => [
    ...(await Promise.all(objects.map((object) => schemas.findings(object)))).flat(),
    ...policyFindings(objects, known, { isLocal: overlay === 'local' }),
  ];

  const overlays = readdirSync(path.join(root, 'k8s/overlays'));
  const beside = render(renderer, path.join(root, BESIDE));
  if (beside.status !== 0) return fail(`${BESIDE}: cannot be rendered\n${beside.stderr}`);
  let failed = 0;
  for (const overlay of overlays) {
    const rendered = render(renderer, path.join(root, 'k8s/overlays', overlay));
    if (rendered.status !== 0) {
      failed += 1;
      console.error(`${overlay}: cannot be rendered\n${rendered.stderr}`);
      continue;
    }
    const objects = [...readObjects(rendered.stdout), ...readObjects(beside.stdout)];
    const judgement = server?.judge(objects);
    const findings = [...(await judge(objects, overlay)), ...(judgement?.findings ?? [])];
    console.log(`${overlay}: ${objects.length} objects, ${findings.length} findings`);
    for (const left of judgement?.leftOut ?? []) console.log(`  the API server was not asked about ${left}.`);
    for (const finding of findings) console.error(`  ${finding}`);
    failed += findings.length;
  }

  const { stdout } = render(renderer, path.join(root, 'k8s/overlays/production'));
  for (const { mistake, told, make } of BROKEN) {
    // Policies take the shape of an object for granted, as the schema does not.
    const findings = await judge(make(readObjects(stdout)), 'production');
    if (findings.some((finding) => finding.includes(told))) continue;
    failed += 1;
    console.error(`A broken copy passed: ${mistake} (nothing says "${told}").`);
  }
  console.log(`${BROKEN.length} broken copies of production were tried.`);
  if (server !== undefined) failed += passedBy(server, stdout);
  return failed === 0 ? 0 : 1;
}

function fail(text: string): number {
  console.error(text);
  return 1;
}

/** How many broken copies an API server lets pass that it should refuse. Only what the mistake has changed is shown to it. */
function passedBy(server: ApiServer, production: string): number {
  const all = readObjects(production);
  if (server.missingNamespaces(all).length > 0) {
    console.log('No broken copies were shown to the API server: it lacks their namespace.');
    return 0;
  }
  const right = new Set(all.map((object) => JSON.stringify(object)));
  const tried = BROKEN.filter(({ serverTells }) => serverTells !== undefined);
  let passed = 0;
  for (const { mistake, serverTells = '', make } of tried) {
    const wrong = make(readObjects(production)).filter((object) => !right.has(JSON.stringify(object)));
    const { findings } = server.judge(wrong, all);
    if (findings.some((finding) => finding.includes(serverTells))) continue;
    passed += 1;
    console.error(`The API server lets a broken copy pass: ${mistake} (it does not say "${serverTells}").`);
    for (const finding of findings) console.error(`  it says: ${finding}`);
  }
  console.log(`${tried.length} broken copies were shown to the API server.`);
  return passed;
}

/** The table of routes, as it stands in the source of the edge. */
export function routesOfEdge(source: string): Readonly<Record<string, string>> {
  const rows = source.matchAll(/'(\/api\/v1\/[^']+)': config\.EDGE_(\w+)_URL/g);
  return Object.fromEntries(
    [...rows].map(([, route = '', service = '']) => [route, `${service.toLowerCase()}-service`]),
  );
}

import { spawnSync } from 'node:child_process';
import { type KubeObject, podsOf, titleOf } from './objects.js';

const TOOL_LIMIT_MS = 120_000;

/** What an API server makes of the objects of an overlay. */
export interface Judgement {
  /** Its refusals and its warnings, one by one. */
  readonly findings: readonly string[];
  /** What it could not be asked about, and why. */
  readonly leftOut: readonly string[];
}

/**
 * The API server that kubectl reaches. It is asked by dry runs and reads alone: nothing is ever written there.
 */
export class ApiServer {
  private constructor(
    readonly title: string,
    private readonly served: ReadonlySet<string>,
  ) {}

  /** Why there is none, in words, otherwise. */
  static find(): ApiServer | string {
    const context = kubectl(['config', 'current-context']);
    if (context.status !== 0) return 'kubectl has no current context, so there is no API server to ask.';
    const name = context.stdout.trim();
    const version = kubectl(['version', '--output=json']);
    const kinds = kubectl(['api-resources', '--no-headers', '--output=wide']);
    if (version.status !== 0 || kinds.status !== 0)
      return `The API server of context "${name}" does not answer:\n${(version.stderr || kinds.stderr).trim()}`;
    const { serverVersion } = JSON.parse(version.stdout) as { serverVersion: { gitVersion: string } };
    // NAME SHORTNAMES APIVERSION NAMESPACED KIND VERBS: only SHORTNAMES may be empty.
    const served = [...kinds.stdout.matchAll(/(\S+)\s+(?:true|false)\s+(\S+)/g)].map(
      ([, apiVersion, kind]) => `${apiVersion} ${kind}`,
    );
    return new ApiServer(`context "${name}", ${serverVersion.gitVersion}`, new Set(served));
  }

  missingNamespaces(objects: readonly KubeObject[]): string[] {
    const names = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    return [...names].filter((name) => kubectl(['get', 'namespace', name]).status !== 0);
  }

  /** @param all what else is applied with them */
  judge(objects: readonly KubeObject[], all = objects): Judgement {
    const leftOut: string[] = [];
    const known = objects.filter(({ apiVersion, kind }) => this.served.has(`${apiVersion} ${kind}`));
    const unknown = objects.filter((object) => !known.includes(object));
    for (const [kind, count] of countedBy(unknown, ({ apiVersion, kind }) => `${kind} of ${apiVersion}`))
      leftOut.push(`${count} ${kind}: it does not serve that kind, install its CRD`);

    const missing = this.missingNamespaces(known);
    const placed = known.filter(({ metadata }) => !missing.includes(metadata.namespace ?? ''));
    const findings = missing.map(
      (name) =>
        `the API server has no namespace ${name}, and a dry run makes none: it judged nothing in it. Make it first`,
    );
    return { findings: [...findings, ...dryRun(placed), ...dryRun(podsFor(placed, all))], leftOut };
  }
}

/**
 * The pods that workloads would make: of a workload it only warns, a pod it refuses. A priority class that comes with them
 * is not there yet, and is judged by itself.
 */
function podsFor(placed: readonly KubeObject[], all: readonly KubeObject[]): KubeObject[] {
  const classes = new Set(all.filter(({ kind }) => kind === 'PriorityClass').map(({ metadata }) => metadata.name));
  return podsOf(placed).map(({ owner, labels, spec }) => {
    const { priorityClassName, ...rest } = spec as typeof spec & { readonly priorityClassName?: string };
    const isOwn = priorityClassName !== undefined && classes.has(priorityClassName);
    // As the controller of a Job or a workload has it by default.
    const restartPolicy = (rest as { readonly restartPolicy?: string }).restartPolicy ?? 'Always';
    const { name, namespace } = owner.metadata;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${name}-as-pod`, labels, ...(namespace === undefined ? {} : { namespace }) },
      spec: { ...rest, restartPolicy, ...(isOwn ? {} : { priorityClassName }) },
    };
  });
}

function dryRun(objects: readonly KubeObject[]): string[] {
  if (objects.length === 0) return [];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { status, stdout, stderr } = kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename=-'], list);
  const told = stderr.split('\n').filter((line) => line.trim() !== '' && !OF_THE_TOOL.test(line));
  const judged = stdout.split('\n').filter((line) => line.includes('(server dry run)')).length;
  // A client that gave up in the middle has judged nothing of the rest.
  if (status === 0 && judged !== objects.length) {
    told.push(`${objects.length - judged} of ${objects.map(titleOf).join(', ')} were not judged`);
  }
  if (status !== 0 && told.length === 0) told.push(`kubectl ended with code ${status}`);
  return told;
}

/** What kubectl says about its own bookkeeping: an object that was not made by `kubectl apply`. */
const OF_THE_TOOL =
  /^Warning: resource .* is missing the kubectl\.kubernetes\.io\/last-applied-configuration annotation/;

function kubectl(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('kubectl', [...args], { input, encoding: 'utf8', timeout: TOOL_LIMIT_MS });
}

function countedBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

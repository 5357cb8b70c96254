import { type Answer, Api, type Replica, type ServiceName, type Stack } from '@aerie/local';

/** What has two replicas. The storage and the edge of a laptop have one: neither is part of a deployment with replicas. */
export const PAIRED = [
  'mqtt-ingress',
  'fleet-service',
  'credential-service',
  'mission-service',
  'log-service',
] as const satisfies readonly ServiceName[];
export type Paired = (typeof PAIRED)[number];

/** Which service answers which paths, as the Ingress of a cluster has it. */
const OWNERS: readonly (readonly [RegExp, Paired])[] = [
  [/^\/docks\/[^/]+\/log-listings/, 'log-service'],
  [/^\/log-/, 'log-service'],
  [/^\/docks/, 'fleet-service'],
  [/^\/storage/, 'credential-service'],
  [/^\//, 'mission-service'],
];

/** As the preStop pause of k8s/base: a request that was sent as its replica left has its connection by then. */
const LEAVE_MS = 8_000;
const ATTEMPTS = 240;
const PAUSE_MS = 250;

/** An answer that a caller should not have got: 5xx, or none at all. */
export interface Failure {
  readonly service: Paired;
  readonly path: string;
  readonly what: string;
}

/**
 * Two replicas of each service, and a caller that reaches those that are in: what an Ingress does, which takes a replica out
 * before it is told to stop.
 */
export class Pairs {
  readonly failures: Failure[] = [];
  /** Requests that were answered. */
  answered = 0;
  /** Requests to each replica that are not answered yet. */
  private readonly onTheWay = new Map<string, number>();
  private readonly slots = new Map<Paired, (Replica | null)[]>();

  private constructor(
    private readonly stack: Stack,
    private readonly random: () => number,
  ) {}

  static async start(stack: Stack, random: () => number): Promise<Pairs> {
    const pairs = new Pairs(stack, random);
    for (const name of PAIRED) pairs.slots.set(name, [firstOf(stack, name), await stack.startReplica(name, '1')]);
    return pairs;
  }

  /** Of a service, those that are in. */
  of(name: Paired): Replica[] {
    return (this.slots.get(name) ?? []).filter((replica) => replica !== null);
  }

  /**
   * Takes a replica out, waits until nothing is on its way there, at most for as long as a cluster does, and tells it to
   * stop: what is in work then has to be answered still. Says how it ended.
   */
  async stop(name: Paired, slot: number): Promise<string | undefined> {
    const replica = this.takeOut(name, slot);
    const leavesAtMs = Date.now() + LEAVE_MS;
    while ((this.onTheWay.get(replica.url) ?? 0) > 0 && Date.now() < leavesAtMs) await pause(10);
    return replica.stop();
  }

  kill(name: Paired, slot: number): Promise<void> {
    return this.takeOut(name, slot).kill();
  }

  /** Starts it again under its name, as a StatefulSet does: an ingress takes over the sessions that its forerunner left. */
  async refill(name: Paired, slot: number): Promise<void> {
    const replica = await this.stack.startReplica(name, String(slot));
    this.slots.get(name)?.splice(slot, 1, replica);
  }

  private takeOut(name: Paired, slot: number): Replica {
    const slots = this.slots.get(name) ?? [];
    const replica = slots[slot];
    if (replica == null) throw new Error(`there is no replica ${slot} of ${name}`);
    slots.splice(slot, 1, null);
    return replica;
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.ask(path, (api) => api.get<Body>(path));
  }

  /** Asks again with the same key, as a caller does that got no answer. */
  post<Body>(path: string, body: unknown, key: string): Promise<Answer<Body>> {
    return this.ask(path, (api) => api.post<Body>(path, body, { 'idempotency-key': key }));
  }

  private async ask<Body>(path: string, call: (api: Api) => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const service = OWNERS.find(([pattern]) => pattern.test(path))?.[1] ?? 'mission-service';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const replicas = this.of(service);
      const replica = replicas[Math.floor(this.random() * replicas.length)];
      if (replica !== undefined) {
        this.count(replica, 1);
        try {
          const answer = await call(new Api(replica.url, this.stack.apiKey));
          if (answer.status < 500) {
            this.answered++;
            return answer;
          }
          this.failures.push({ service, path, what: `${answer.status} ${JSON.stringify(answer.body)}` });
        } catch (error) {
          this.failures.push({ service, path, what: `${String(error)}, ${String((error as Error).cause)}` });
        } finally {
          this.count(replica, -1);
        }
      }
      await pause(PAUSE_MS);
    }
    throw new Error(`nobody answered ${path}: ${JSON.stringify(this.failures.at(-1))}`);
  }

  private count({ url }: Replica, change: number): void {
    this.onTheWay.set(url, (this.onTheWay.get(url) ?? 0) + change);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The process with which the stack began, in the same form. */
function firstOf(stack: Stack, name: Paired): Replica {
  const process = stack.process(name);
  return {
    url: stack.serviceUrls[name],
    grpcAddress: name === 'mission-service' ? stack.grpcAddress : undefined,
    kill: () => process.stop('SIGKILL'),
    stop: async () => {
      await process.stop('SIGTERM', 25_000);
      return process.ending;
    },
  };
}

import { type KubeObject, type PodSpec, podsOf } from './objects.js';

/** A mistake that somebody could make, and the words by which the check has to tell it. */
export interface Broken {
  readonly mistake: string;
  readonly told: string;
  /** What an API server has to say to it, where it can know. */
  readonly serverTells?: string;
  readonly make: (objects: KubeObject[]) => KubeObject[];
}

type Loose = Record<string, never>;

/** The pod of mission-service, to be changed in place. */
const pod = (objects: KubeObject[]): PodSpec & Loose => {
  const found = podsOf(objects).find(
    ({ owner }) => owner.kind === 'Deployment' && owner.metadata.name === 'mission-service',
  );
  if (found === undefined) throw new Error('there is no Deployment mission-service');
  return found.spec as PodSpec & Loose;
};
const change =
  (how: (container: Record<string, unknown>, spec: Record<string, unknown>) => void) =>
  (objects: KubeObject[]): KubeObject[] => {
    const spec = pod(objects);
    how(spec.containers[0] as unknown as Record<string, unknown>, spec);
    return objects;
  };
const without =
  (kind: string, name: string) =>
  (objects: KubeObject[]): KubeObject[] =>
    objects.filter((object) => object.kind !== kind || object.metadata.name !== name);
const edit =
  (kind: string, name: string, how: (spec: never) => void) =>
  (objects: KubeObject[]): KubeObject[] => {
    const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
    how(found.spec as never);
    return objects;
  };

/** Each is made of a copy of what an overlay renders; a check that lets one pass is worth nothing. */
export const BROKEN: readonly Broken[] = [
  {
    mistake: 'a misspelt field',
    told: 'is no field of',
    serverTells: 'unknown field',
    make: change((one) => (one['imagePulPolicy'] = 'Always')),
  },
  {
    mistake: 'a word that does not exist',
    told: 'imagePullPolicy',
    serverTells: 'Unsupported value: "Sometimes"',
    make: change((one) => (one['imagePullPolicy'] = 'Sometimes')),
  },
  {
    mistake: 'a number where text belongs',
    told: 'must be a string',
    serverTells: 'cannot unmarshal number',
    make: change((one) => (one['image'] = 5)),
  },
  {
    mistake: 'a required field left out',
    told: 'required',
    serverTells: 'missing required field "name"',
    make: change((one) => delete one['name']),
  },
  { mistake: 'no limits', told: 'has no limit of memory', make: change((one) => delete one['resources']) },
  { mistake: 'no probes', told: 'has no readinessProbe', make: change((one) => delete one['readinessProbe']) },
  {
    mistake: 'root',
    told: 'may run as root',
    serverTells: 'violates PodSecurity',
    make: change((_, spec) => delete spec['securityContext']),
  },
  {
    mistake: 'a root file system that can be written to',
    told: 'can write to its image',
    make: change((one) => delete (one['securityContext'] as Record<string, unknown>)['readOnlyRootFilesystem']),
  },
  {
    mistake: 'capabilities',
    told: 'keeps capabilities',
    serverTells: 'violates PodSecurity',
    make: change((one) => delete (one['securityContext'] as Record<string, unknown>)['capabilities']),
  },
  {
    mistake: 'an image by a tag that moves',
    told: 'is pinned neither',
    make: change((one) => (one['image'] = 'aerie/mission-service:latest')),
  },
  {
    mistake: 'an image without a tag',
    told: 'is pinned neither',
    make: change((one) => (one['image'] = 'registry:5000/mission-service')),
  },
  {
    mistake: 'a token of the API server',
    told: 'mounts a token',
    make: change((_, spec) => delete spec['automountServiceAccountToken']),
  },
  {
    mistake: 'a folder of the node',
    told: 'mounts a folder of its node',
    serverTells: 'violates PodSecurity',
    make: change((_, spec) => (spec['volumes'] as unknown[]).push({ name: 'host', hostPath: { path: '/' } })),
  },
  {
    mistake: 'a password in the environment',
    told: 'in clear',
    make: change((one) => (one['env'] as unknown[]).push({ name: 'DATABASE_PASSWORD', value: 'a' })),
  },
  {
    mistake: 'a secret in the environment',
    told: 'mount it as a file',
    make: change((one) =>
      (one['env'] as unknown[]).push({ name: 'X', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }),
    ),
  },
  {
    mistake: 'too little time to stop',
    told: 'is killed after 10 s',
    make: change((_, spec) => (spec['terminationGracePeriodSeconds'] = 10)),
  },
  {
    mistake: 'a program without a policy',
    told: 'has no NetworkPolicy of its own',
    make: without('NetworkPolicy', 'mission-service'),
  },
  {
    mistake: 'nothing denied by default',
    told: 'denies everything by default',
    make: without('NetworkPolicy', 'default-deny'),
  },
  {
    mistake: 'a policy that lets out to everybody',
    told: 'lets out to everybody',
    make: edit('NetworkPolicy', 'mission-service', (spec: { egress: unknown[] }) => spec.egress.push({})),
  },
  {
    mistake: 'a policy that reaches the keys of the node',
    told: 'where nodes tell their keys',
    make: edit('NetworkPolicy', 'credential-service', (spec: { egress: unknown[] }) =>
      spec.egress.push({ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: [{ port: 443 }] }),
    ),
  },
  {
    mistake: 'no disruption budget',
    told: 'has no PodDisruptionBudget',
    make: without('PodDisruptionBudget', 'mission-service'),
  },
  {
    mistake: 'one replica',
    told: 'has 1 replica',
    make: edit('Deployment', 'mission-service', (spec: { replicas: number }) => (spec.replicas = 1)),
  },
  {
    mistake: 'a service in front of nothing',
    told: 'no pod stands behind it',
    make: edit('Service', 'mission-service', (spec: { selector: object }) => (spec.selector = { app: 'other' })),
  },
  {
    mistake: 'a route to another service',
    told: 'does not lead to',
    make: edit(
      'Ingress',
      'aerie',
      (spec: { rules: { http: { paths: { backend: { service: { name: string } } }[] } }[] }) => {
        const [first] = spec.rules[0]?.http.paths ?? [];
        if (first !== undefined) first.backend.service.name = 'log-service';
      },
    ),
  },
  {
    mistake: 'no certificate',
    told: 'has no certificate',
    make: edit('Ingress', 'aerie', (spec: { tls?: unknown }) => delete spec.tls),
  },
  {
    mistake: 'a namespace that lets all pods in',
    told: 'does not enforce Pod Security',
    make: (objects) =>
      objects.map((object) =>
        object.kind === 'Namespace' ? { ...object, metadata: { name: 'aerie', labels: {} } } : object,
      ),
  },
];

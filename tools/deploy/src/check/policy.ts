import { type KubeObject, type Pod, podsOf, titleOf } from './objects.js';
import { type Leeway, aboutPod } from './pod-policy.js';
import { when } from './when.js';

export interface Known {
  /** Which service answers below which path, as the edge has it. `*` is one part. */
  readonly routes: Readonly<Record<string, string>>;
  /** Durable consumers as `STREAM/durable`. */
  readonly consumers: ReadonlySet<string>;
}

const LEAST_REPLICAS = 2;

/** What we ask of every object, beyond its schema. @returns one sentence for each finding, with the object it is about */
export function policyFindings(objects: readonly KubeObject[], known: Known, leeway: Leeway): string[] {
  const pods = podsOf(objects);
  return [
    ...pods.flatMap((pod) => aboutPod(pod, objects, leeway).map((text) => `${titleOf(pod.owner)}: ${text}`)),
    ...aboutNamespaces(objects),
    ...aboutNetwork(objects, pods),
    ...aboutServices(objects, pods),
    ...aboutReplicas(objects, pods, leeway),
    ...aboutRoutes(objects, known, leeway),
    ...aboutScalers(objects, known),
  ];
}

function aboutNamespaces(objects: readonly KubeObject[]): string[] {
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const isStrict = ({ metadata }: KubeObject): boolean =>
    metadata.labels?.['pod-security.kubernetes.io/enforce'] === 'restricted';
  return [
    ...when(namespaces.length === 0, 'there is no Namespace'),
    ...namespaces.flatMap((one) => when(!isStrict(one), `${titleOf(one)}: does not enforce Pod Security restricted`)),
  ];
}

interface PolicySpec {
  readonly podSelector: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly { readonly from?: readonly unknown[]; readonly ports?: readonly unknown[] }[];
  readonly egress?: readonly {
    readonly to?: readonly { readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] } }[];
    readonly ports?: readonly unknown[];
  }[];
}

/** Where a node of a cloud tells about itself, its keys included. */
const METADATA_BLOCK = '169.254.0.0/16';

function aboutNetwork(objects: readonly KubeObject[], pods: readonly Pod[]): string[] {
  const policies = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((object) => ({ object, spec: object.spec as PolicySpec }));
  const deniesAll = policies.some(
    ({ spec }) =>
      Object.keys(spec.podSelector.matchLabels ?? {}).length === 0 &&
      ['Ingress', 'Egress'].every((type) => spec.policyTypes?.includes(type)) &&
      (spec.ingress ?? []).length + (spec.egress ?? []).length === 0,
  );
  const own = (pod: Pod) =>
    policies.some(({ spec }) => {
      const wanted = Object.entries(spec.podSelector.matchLabels ?? {});
      return wanted.length > 0 && wanted.every(([key, value]) => pod.labels[key] === value);
    });
  return [
    ...when(!deniesAll, 'no NetworkPolicy denies everything by default'),
    ...pods.flatMap((pod) => when(!own(pod), `${titleOf(pod.owner)}: has no NetworkPolicy of its own`)),
    ...policies.flatMap(({ object, spec }) => [
      ...(spec.ingress ?? []).flatMap((rule) =>
        when(!rule.from?.length || !rule.ports?.length, `${titleOf(object)}: lets everybody in, or to every port`),
      ),
      ...(spec.egress ?? []).flatMap((rule) => [
        ...when(!rule.to?.length || !rule.ports?.length, `${titleOf(object)}: lets out to everybody, or to every port`),
        ...(rule.to ?? []).flatMap(({ ipBlock }) =>
          when(
            ipBlock !== undefined && ipBlock.cidr.endsWith('/0') && !ipBlock.except?.includes(METADATA_BLOCK),
            `${titleOf(object)}: lets out to ${METADATA_BLOCK}, where nodes tell their keys`,
          ),
        ),
      ]),
    ]),
  ];
}

interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly targetPort?: string | number }[];
  readonly type?: string;
}

function aboutServices(objects: readonly KubeObject[], pods: readonly Pod[]): string[] {
  return objects
    .filter(({ kind }) => kind === 'Service')
    .flatMap((object) => {
      const { selector = {}, ports, type } = object.spec as ServiceSpec;
      const behind = pods.filter((pod) => Object.entries(selector).every(([key, value]) => pod.labels[key] === value));
      const names = behind.flatMap(({ spec }) =>
        spec.containers.flatMap((one) => (one.ports ?? []).map(({ name }) => name)),
      );
      const isLost = (target: string | number | undefined): boolean =>
        typeof target !== 'string' || !names.includes(target);
      return [
        ...when(behind.length === 0, `${titleOf(object)}: no pod stands behind it`),
        ...when(['NodePort', 'LoadBalancer'].includes(type ?? ''), `${titleOf(object)}: is open to the outside`),
        ...ports.flatMap(({ targetPort }) =>
          when(isLost(targetPort), `${titleOf(object)}: no pod behind it names a port ${targetPort}`),
        ),
      ];
    });
}

interface Scaler {
  readonly scaleTargetRef: { readonly name: string; readonly kind?: string };
  readonly minReplicas?: number;
  readonly minReplicaCount?: number;
}

function aboutReplicas(objects: readonly KubeObject[], pods: readonly Pod[], { isLocal }: Leeway): string[] {
  if (isLocal) return [];
  const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
  const scalers = objects.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind));
  return pods
    .filter(({ staysUp }) => staysUp)
    .flatMap(({ owner, labels }) => {
      const title = titleOf(owner);
      const { replicas = 1 } = owner.spec as { replicas?: number };
      const isKept = budgets.some(({ spec }) => {
        const { matchLabels = {} } = (spec as { selector: { matchLabels?: Record<string, string> } }).selector;
        return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
      });
      const own = scalers.filter(({ spec }) => {
        const { scaleTargetRef } = spec as Scaler;
        return scaleTargetRef.name === owner.metadata.name && scaleTargetRef.kind === owner.kind;
      });
      const least = own.map(({ spec }) => (spec as Scaler).minReplicas ?? (spec as Scaler).minReplicaCount ?? 0);
      return [
        ...when(replicas < LEAST_REPLICAS, `${title}: has ${replicas} replica`),
        ...when(!isKept, `${title}: has no PodDisruptionBudget`),
        ...when(own.length !== 1, `${title}: has ${own.length} scalers, and needs one`),
        ...when(
          least.some((one) => one < LEAST_REPLICAS),
          `${title}: may be scaled below ${LEAST_REPLICAS}`,
        ),
      ];
    });
}

interface IngressSpec {
  readonly tls?: readonly { readonly hosts?: readonly string[] }[];
  readonly rules: readonly {
    readonly host?: string;
    readonly http: {
      readonly paths: readonly {
        readonly path: string;
        readonly pathType: string;
        readonly backend: { readonly service: { readonly name: string } };
      }[];
    };
  }[];
}

function aboutRoutes(objects: readonly KubeObject[], { routes }: Known, { isLocal }: Leeway): string[] {
  const ingresses = objects
    .filter(({ kind }) => kind === 'Ingress')
    .map((object) => ({ object, spec: object.spec as IngressSpec }));
  const found = ingresses.flatMap(({ spec }) =>
    spec.rules.flatMap(({ http }) =>
      http.paths.map(
        ({ path, backend }) => [path.replace('[^/]+', '*').replace('(/.*)?$', ''), backend.service.name] as const,
      ),
    ),
  );
  const wrong = Object.entries(routes).filter(
    ([path, service]) => !found.some(([p, s]) => p === path && s === service),
  );
  const unknown = found.filter(([path]) => routes[path] === undefined);
  return [
    ...wrong.map(([path, service]) => `Ingress: ${path} does not lead to ${service}, as it does at the edge`),
    ...unknown.map(([path]) => `Ingress: ${path} leads nowhere at the edge`),
    ...when(new Set(found.map(([path]) => path)).size < found.length, 'Ingress: a path stands there twice'),
    ...ingresses.flatMap(({ object, spec }) =>
      spec.rules.flatMap(({ host = '' }) =>
        isLocal
          ? []
          : [
              ...when(host === '' || host.endsWith('.invalid'), `${titleOf(object)}: has no host of its own`),
              ...when(
                !spec.tls?.some(({ hosts }) => hosts?.includes(host)),
                `${titleOf(object)}: has no certificate for ${host}`,
              ),
            ],
      ),
    ),
  ];
}

function aboutScalers(objects: readonly KubeObject[], { consumers }: Known): string[] {
  return objects
    .filter(({ kind }) => kind === 'ScaledObject')
    .flatMap((object) => {
      const { triggers } = object.spec as { triggers: readonly { type: string; metadata: Record<string, string> }[] };
      return triggers
        .filter(({ type }) => type === 'nats-jetstream')
        .map(({ metadata }) => `${metadata['stream']}/${metadata['consumer']}`)
        .flatMap((name) => when(!consumers.has(name), `${titleOf(object)}: there is no consumer ${name}`));
    });
}

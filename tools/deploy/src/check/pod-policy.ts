import type { Container, KubeObject, Pod } from './objects.js';
import { when } from './when.js';

/** What an overlay may do that others may not. */
export interface Leeway {
  /** For a machine of one person: one replica, images built there, no certificate. */
  readonly isLocal: boolean;
}

/** A program ends within this time of SIGTERM, and the first pause comes on top. */
const STOP_LIMIT_SECONDS = 25;
const LEAST_USER = 1_000;

/** What we ask of a pod and its containers. */
export function aboutPod({ spec, staysUp, owner }: Pod, objects: readonly KubeObject[], leeway: Leeway): string[] {
  const { securityContext = {} } = spec;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const configMaps = new Set(objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name));
  return [
    ...when(spec.automountServiceAccountToken !== false, 'mounts a token of the API server'),
    ...when([spec.hostNetwork, spec.hostPID, spec.hostIPC].includes(true), 'shares a namespace of its node'),
    ...when(securityContext.runAsNonRoot !== true, 'may run as root: set runAsNonRoot'),
    ...when(!((securityContext.runAsUser ?? 0) >= LEAST_USER), 'has no numeric user of its own: set runAsUser'),
    ...when(securityContext.seccompProfile?.type !== 'RuntimeDefault', 'has no seccomp profile RuntimeDefault'),
    ...(spec.volumes ?? []).flatMap(({ name, hostPath, emptyDir }) => [
      ...when(hostPath !== undefined, `mounts a folder of its node as ${name}`),
      ...when(emptyDir !== undefined && emptyDir.sizeLimit === undefined, `has a volume ${name} without sizeLimit`),
    ]),
    ...containers.flatMap((one) => aboutContainer(one, leeway)),
    ...containers.flatMap(({ envFrom = [] }) =>
      envFrom.flatMap(({ configMapRef }) =>
        when(
          configMapRef !== undefined && !configMaps.has(configMapRef.name),
          `reads ConfigMap ${configMapRef?.name}, which is not there`,
        ),
      ),
    ),
    ...(staysUp ? spec.containers.flatMap((one) => aboutLife(one, spec.terminationGracePeriodSeconds ?? 30)) : []),
    ...when(
      staysUp && !leeway.isLocal && spec.affinity?.podAntiAffinity === undefined,
      'may have all its replicas on one node: set podAntiAffinity',
    ),
    ...when(
      owner.kind === 'Job' && (owner.spec as { activeDeadlineSeconds?: number }).activeDeadlineSeconds === undefined,
      'may run for ever: set activeDeadlineSeconds',
    ),
  ];
}

/** A version, or the hash of the content. */
const IS_PINNED = /@sha256:[0-9a-f]{64}$|:v?\d+\.\d+\.\d+[^/]*$/;
const NAMES_A_SECRET = /PASSWORD|SECRET|TOKEN|PRIVATE_KEY/;

function aboutContainer(container: Container, { isLocal }: Leeway): string[] {
  const { image = '', env = [], envFrom = [], resources = {}, securityContext = {} } = container;
  const { requests = {}, limits = {} } = resources;
  return [
    ...when(
      !(IS_PINNED.test(image) || (isLocal && image.startsWith('localhost/'))),
      `runs ${image || 'no image'}, which is pinned neither by version nor by digest`,
    ),
    ...['cpu', 'memory'].flatMap((resource) => [
      ...when(requests[resource] === undefined, `requests no ${resource}`),
      ...when(limits[resource] === undefined, `has no limit of ${resource}`),
    ]),
    ...when(securityContext.readOnlyRootFilesystem !== true, 'can write to its image: set readOnlyRootFilesystem'),
    ...when(securityContext.allowPrivilegeEscalation !== false, 'may gain rights: set allowPrivilegeEscalation'),
    ...when(securityContext.privileged === true, 'is privileged'),
    ...when(!(securityContext.capabilities?.drop ?? []).includes('ALL'), 'keeps capabilities: drop ALL'),
    ...when((securityContext.capabilities?.add ?? []).length > 0, 'adds capabilities'),
    ...env.flatMap(({ name, value, valueFrom }) => [
      ...when(valueFrom?.secretKeyRef !== undefined, `has a secret in its environment (${name}): mount it as a file`),
      ...when(value !== undefined && NAMES_A_SECRET.test(name) && !name.endsWith('_FILE'), `holds ${name} in clear`),
    ]),
    ...when(
      envFrom.some(({ secretRef }) => secretRef !== undefined),
      'has a whole Secret in its environment',
    ),
  ];
}

function aboutLife(
  { startupProbe, livenessProbe, readinessProbe, lifecycle }: Container,
  graceSeconds: number,
): string[] {
  const pause = lifecycle?.preStop?.sleep?.seconds;
  return [
    ...when(startupProbe?.httpGet?.path !== '/healthz', 'has no startupProbe at /healthz'),
    ...when(livenessProbe?.httpGet?.path !== '/healthz', 'has no livenessProbe at /healthz'),
    ...when(readinessProbe?.httpGet?.path !== '/readyz', 'has no readinessProbe at /readyz'),
    ...when(pause === undefined, 'leaves before proxies know: set preStop.sleep'),
    ...when(
      graceSeconds < STOP_LIMIT_SECONDS + (pause ?? 0),
      `is killed after ${graceSeconds} s, and may need ${STOP_LIMIT_SECONDS + (pause ?? 0)}`,
    ),
  ];
}

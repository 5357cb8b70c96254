import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type KubeObject, podsOf, readObjects } from '../check/objects.js';
import { findRenderer, render } from '../check/render.js';
import { type Site } from './site.js';

export interface Played {
  /** Whose pods take the place of the containers of the same name. */
  readonly programs: readonly string[];
  readonly root: string;
  readonly project: string;
  readonly tag: string;
}

/** How the overlay for a laptop names its servers, and how the Compose file does. */
const NAMES = [
  [/\bmqtt\.aerie-servers\b/g, 'mosquitto'],
  [/\b(postgres|nats|valkey|object-store)\.aerie-servers\b/g, '$1'],
] as const;

/**
 * Runs pods as `k8s/overlays/local` renders them, by `podman play kube`, in the network of a site. Changed is only what that
 * engine has otherwise: names of servers, the tag, volumes of the site instead of Secrets; ports (it would open them on the
 * machine) and probes (it wants a shell) are left out.
 * @returns what ends them
 */
export async function playKube(site: Site, { programs, root, project, tag }: Played): Promise<() => Promise<void>> {
  const renderer = findRenderer();
  if (typeof renderer === 'string') throw new Error(renderer);
  const { status, stdout, stderr } = render(renderer, path.join(root, 'k8s/overlays/local'));
  if (status !== 0) throw new Error(stderr);
  const objects = readObjects(stdout);
  const pods = podsOf(objects)
    .filter(({ owner, staysUp }) => staysUp && programs.includes(owner.metadata.name))
    .map(({ owner, labels, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: owner.metadata.name, labels },
      spec: {
        ...spec,
        containers: spec.containers.map(
          ({ ports: _1, startupProbe: _2, livenessProbe: _3, readinessProbe: _4, ...one }) => ({
            ...one,
            image: `localhost/aerie/${owner.metadata.name}:${tag}`,
          }),
        ),
        volumes: spec.volumes?.map((volume) =>
          volume.secret === undefined
            ? volume
            : { name: volume.name, persistentVolumeClaim: { claimName: `${project}_site-${owner.metadata.name}` } },
        ),
      },
    }));
  if (pods.length !== programs.length) throw new Error(`the overlay has no pods of ${programs.join(', ')}`);
  const configs: KubeObject[] = objects.filter(({ kind }) => kind === 'ConfigMap');
  let text = [...configs, ...pods].map((object) => stringify(object)).join('---\n');
  for (const [name, here] of NAMES) text = text.replaceAll(name, here);

  const directory = mkdtempSync(path.join(os.tmpdir(), 'aerie-play-'));
  const file = path.join(directory, 'pods.yaml');
  writeFileSync(file, text, { mode: 0o600 });
  const end = async (): Promise<void> => {
    await site.engineRun(['play', 'kube', '--down', file]);
    rmSync(directory, { recursive: true, force: true });
  };
  const { code, output } = await site.engineRun(['play', 'kube', '--network', `${project}_default`, file]);
  if (code === 0) return end;
  await end();
  throw new Error(`podman play kube ended with ${code}:\n${output.slice(-3_000)}`);
}

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { type Engine, run } from './engine.js';

const MINUTE_MS = 60_000;
const MOST_BYTES = 250_000_000;

export interface BuildOptions {
  readonly engine: Engine;
  readonly root: string;
  /** Of all images. */
  readonly tag: string;
  readonly nodeImage?: string;
  /** More arguments of `build`, for a network that needs them. */
  readonly buildArgs: readonly string[];
  readonly say: (text: string) => void;
}

/** Every program that there is, by the folders of apps/. */
export const programsOf = (root: string): string[] => readdirSync(path.join(root, 'apps')).sort();

/** Builds the image of each program. @returns what is wrong with them, one sentence each */
export async function buildImages(options: BuildOptions): Promise<string[]> {
  const { engine, root, tag, nodeImage, buildArgs, say } = options;
  const findings: string[] = [];
  for (const program of programsOf(root)) {
    const image = `aerie/${program}:${tag}`;
    const startedMs = Date.now();
    const base = nodeImage === undefined ? [] : ['--build-arg', `NODE_IMAGE=${nodeImage}`];
    const args = [
      '--build-arg',
      `APP=${program}`,
      ...base,
      ...buildArgs,
      '--file',
      path.join(root, 'docker/Dockerfile'),
    ];
    // A short name means another registry to each engine; `localhost/` means this machine to podman.
    const { code, output } = await run(engine.program, ['build', ...args, '--tag', image, root], {
      withinMs: 20 * MINUTE_MS,
    });
    if (code !== 0) throw new Error(`${image} could not be built:\n${output.slice(-4_000)}`);
    const { bytes, user, findings: own } = await examine(engine, image);
    say(`${image}: ${Math.round(bytes / 1e6)} MB, user ${user}, ${Math.round((Date.now() - startedMs) / 1_000)} s`);
    findings.push(...own.map((finding) => `${image}: ${finding}`));
  }
  return findings;
}

interface Inspected {
  readonly Size: number;
  readonly Config: { readonly User?: string; readonly Labels?: Record<string, string>; readonly Env?: string[] };
}

async function examine(engine: Engine, image: string) {
  const inspected = await run(engine.program, ['image', 'inspect', image], { withinMs: MINUTE_MS });
  const [first] = JSON.parse(inspected.output) as [Inspected];
  const { User: user = '', Labels: labels = {}, Env: env = [] } = first.Config;
  const findings: string[] = [];
  if (first.Size >= MOST_BYTES) findings.push(`has ${first.Size} bytes, and may have ${MOST_BYTES}`);
  if (!/^[1-9]\d*(:[1-9]\d*)?$/.test(user)) findings.push(`runs as "${user}": it needs a number above 0`);
  if (labels['org.opencontainers.image.version'] === undefined) findings.push('does not say its version');
  for (const secret of env.filter((line) => /PASSWORD|SECRET|TOKEN/.test(line)))
    findings.push(`has ${secret.split('=')[0]} in its environment`);
  findings.push(...(await looksInside(engine, image)));
  return { bytes: first.Size, user, findings };
}

/** A script that the image's own Node.js runs: what somebody finds who gets in. */
const LOOK = `
const fs = require('node:fs');
const found = [];
const look = (folder) => {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = (folder === '/' ? '' : folder) + '/' + entry.name;
    if (['/proc', '/sys', '/dev'].includes(file)) continue;
    if (entry.isDirectory()) look(file);
    if (!entry.isFile()) continue;
    if (/\\/(?:ba|da|a|z)?sh$|\\/(?:npm|npx|apt|dpkg|curl|wget)$/.test(file)) found.push('holds ' + file);
    if (/\\/\\.npmrc$|\\.spec\\.js$|\\.pem$|\\.key$/.test(file) && !file.includes('/node_modules/')) found.push('holds ' + file);
    // Packages bring the same code for another libc and for other versions of Node.js too.
    if (file.endsWith('.node') && !/musl|\\.abi\\d/.test(file)) {
      try {
        process.dlopen({ exports: {} }, file);
      } catch (error) {
        found.push(file + ' does not load: ' + error.message);
      }
    }
    if (fs.statSync(file).mode & 0o6000) found.push(file + ' runs as its owner (setuid)');
  }
};
look('/');
try {
  fs.writeFileSync('/aerie/written', '');
  found.push('its root can be written to');
} catch {}
if (process.getuid() === 0) found.push('runs as root');
console.log(JSON.stringify(found));
`;

async function looksInside(engine: Engine, image: string): Promise<string[]> {
  const hardened = ['--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL'];
  const { code, output } = await run(engine.program, ['run', ...hardened, image, '-e', LOOK], { withinMs: MINUTE_MS });
  if (code !== 0) return [`could not be looked into (${code}): ${output.slice(-500)}`];
  return JSON.parse(output.trim().split('\n').at(-1) ?? '[]') as string[];
}

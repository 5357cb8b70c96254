import { spawnSync } from 'node:child_process';

const LEAST_KUSTOMIZE = 5;
const TOOL_LIMIT_MS = 120_000;

/** What renders an overlay on this machine. */
export interface Renderer {
  readonly program: string;
  readonly args: readonly string[];
  readonly version: string;
}

/** `kubectl` with a kustomize of today, or kustomize itself. What is missing, in words, otherwise. */
export function findRenderer(): Renderer | string {
  const candidates = [
    {
      program: 'kubectl',
      args: ['kustomize'],
      versionArgs: ['version', '--client'],
      shown: /Kustomize Version: v(\d+)\S*/,
    },
    { program: 'kustomize', args: ['build'], versionArgs: ['version'], shown: /v(\d+)\S*/ },
  ];
  for (const { program, args, versionArgs, shown } of candidates) {
    const { stdout } = spawnSync(program, versionArgs, { encoding: 'utf8', timeout: TOOL_LIMIT_MS });
    const found = shown.exec(stdout ?? '');
    if (found !== null && Number(found[1]) >= LEAST_KUSTOMIZE)
      return { program, args, version: `${program}, ${found[0]}` };
  }
  return `Neither kubectl nor kustomize is here with kustomize ${LEAST_KUSTOMIZE} or newer: nothing was checked.`;
}

export const render = ({ program, args }: Renderer, folder: string) =>
  spawnSync(program, [...args, folder], { encoding: 'utf8', timeout: TOOL_LIMIT_MS });

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { asyncApi } from '../api-docs/asyncapi.js';
import { Problem } from '../infrastructure/problem.js';

/** A program of mission-service that prints its document: tools start services, they do not import them. */
const PRINT_OPENAPI = 'apps/mission-service/dist/print-openapi.js';

interface Page {
  readonly file: string;
  readonly text: string;
}

/** Writes both documents of docs/api. `--check` only compares, for CI. `programs` is where the services were built. */
export async function docsApi(root: string, args: readonly string[], programs = root): Promise<number> {
  const pages: readonly Page[] = [
    { file: 'docs/api/openapi.json', text: printed(path.join(programs, PRINT_OPENAPI)) },
    { file: 'docs/api/asyncapi.json', text: `${JSON.stringify(asyncApi(), null, 2)}\n` },
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
  if (differing.length === 0) console.log('docs/api is up to date.');
  return 0;
}

const present = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);

function printed(program: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Problem(`${program} did not print its document:\n${stderr}`);
  return stdout;
}

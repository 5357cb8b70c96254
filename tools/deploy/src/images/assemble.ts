// Copies one program with all that it needs to run, and nothing else, to a folder: the last step of each image.
// Usage: node tools/deploy/dist/images/assemble.js PROGRAM FOLDER
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type LockedPackages, closureOf } from './closure.js';

/** Types, source maps and sources of what is compiled: nothing loads them, and they are half of all bytes. */
const IS_FOR_DEVELOPERS = /\.(?:d\.[cm]?ts|ts|map|tsbuildinfo)$/;
const IS_FOR_TESTS = /\.(?:spec|fixture|fake)\.js$/;
/** What of our own projects is loaded while it runs. */
const OWN_PARTS = ['package.json', 'dist', 'proto'];

/** @returns the folders that were copied, by their paths from the root */
export function assemble(root: string, program: string, target: string): string[] {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { packages: LockedPackages };
  const folders = closureOf(lock.packages, `apps/${program}`);
  mkdirSync(target, { recursive: true });
  // Node.js looks here whether the files are modules.
  cpSync(path.join(root, 'package.json'), path.join(target, 'package.json'));
  const copied = folders.filter((folder) => existsSync(path.join(root, folder)));
  for (const folder of copied) copy(root, folder, target);
  return copied;
}

function copy(root: string, folder: string, target: string): void {
  const [from, to] = [path.join(root, folder), path.join(target, folder)];
  if (lstatSync(from).isSymbolicLink()) {
    mkdirSync(path.dirname(to), { recursive: true });
    symlinkSync(readlinkSync(from), to);
    return;
  }
  if (folder.startsWith('node_modules/') || folder.includes('/node_modules/')) {
    const nested = path.join(from, 'node_modules');
    cpSync(from, to, { recursive: true, filter: (file) => file !== nested && !IS_FOR_DEVELOPERS.test(file) });
    return;
  }
  const isWanted = (file: string): boolean =>
    !IS_FOR_DEVELOPERS.test(file) && !IS_FOR_TESTS.test(file) && !['testing', 'fixtures'].includes(path.basename(file));
  for (const part of OWN_PARTS.filter((one) => existsSync(path.join(from, one)))) {
    cpSync(path.join(from, part), path.join(to, part), { recursive: true, filter: isWanted });
  }
}

const [, script = '', program, target] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  if (program === undefined || target === undefined) {
    console.error('Usage: node tools/deploy/dist/images/assemble.js PROGRAM FOLDER');
    process.exit(2);
  }
  const copied = assemble(process.cwd(), program, target);
  console.log(`${program}: ${copied.length} folders`);
}

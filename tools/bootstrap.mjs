// The way in from a bare clone: installs and builds what is missing, then hands over to tools/local. Node alone runs
// this file, so it may use nothing that has to be installed or compiled.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { answerAtOnce } from './usage.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
// The SDK of the storage tells whoever runs it which Node.js it will want next year; package.json says what Aerie wants.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const stamp = path.join(root, 'node_modules', '.aerie-installed');
const [command = 'start', ...args] = process.argv.slice(2);
// Commands that print data must print nothing else on standard output.
const say = (text) => process.stderr.write(`${text}\n`);

const fail = (text) => {
  say(`\n${text}`);
  process.exit(1);
};

const run = (what, program, programArgs) => {
  const { status, error } = spawnSync(program, programArgs, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) fail(`Could not ${what}: ${error.message}`);
  if (status !== 0) fail(`Could not ${what}; the lines above say why.`);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `Aerie needs Node.js 20.19 or newer; this is ${process.version}. Install it from nodejs.org or your package manager.`,
  );
}

// Before minutes of installing and building: help, and refusals of what is misspelt.
const atOnce = answerAtOnce(root, command, args);
if (atOnce !== undefined) {
  (atOnce.code === 0 ? console.log : console.error)(atOnce.text);
  process.exit(atOnce.code);
}

const lockHash = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockHash) {
  say('Installing dependencies (npm ci) …');
  run('install the dependencies', process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  writeFileSync(stamp, lockHash);
}
// The compiler looks at time stamps and content: about a second when nothing has changed.
run('build', process.execPath, [path.join(root, 'node_modules', 'typescript7', 'bin', 'tsc'), '-b']);

const entry = path.join(root, 'tools', 'local', 'dist', 'main.js');
const { main } = await import(pathToFileURL(entry).href);
await main(root, command, args);

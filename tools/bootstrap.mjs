// The way in from a bare clone: installs and builds what is missing, then hands over to tools/local. Node alone runs
// this file, so it may use nothing that has to be installed or compiled.
import { spawn } from 'node:child_process';
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

/** As a shell says it of a program that was interrupted. */
const STOPPED = 130;

/** Ctrl-C ends it as well, at once: npm would go on for minutes, and nothing is lost that the next start does not make. */
const run = (what, program, programArgs) =>
  new Promise((resolve) => {
    const child = spawn(program, programArgs, { cwd: root, stdio: ['ignore', 2, 2] });
    let isStopped = false;
    const stop = () => {
      isStopped = true;
      child.kill('SIGKILL');
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, stop);
    child.once('error', (error) => fail(`Could not ${what}: ${error.message}`));
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, stop);
      if (isStopped) process.exit(STOPPED);
      if (code !== 0) fail(`Could not ${what}; the lines above say why.`);
      resolve();
    });
  });

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
  await run('install the dependencies', process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  writeFileSync(stamp, lockHash);
}
// The compiler looks at time stamps and content: about a second when nothing has changed.
await run('build', process.execPath, [path.join(root, 'node_modules', 'typescript7', 'bin', 'tsc'), '-b']);

const entry = path.join(root, 'tools', 'local', 'dist', 'main.js');
const { main } = await import(pathToFileURL(entry).href);
await main(root, command, args);

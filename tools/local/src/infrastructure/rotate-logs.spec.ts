import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LocalProcess } from './processes.js';
import { rotateLogs } from './rotate-logs.js';

const rotation = { maxBytes: 10, kept: 2 };
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'aerie-logs-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8');

it('keeps the logs before the present one, the oldest dropped, and leaves small ones alone', () => {
  appendFileSync(path.join(directory, 'small.log'), 'short');
  for (const text of ['the first lines', 'the second lines', 'the third lines']) {
    appendFileSync(path.join(directory, 'nats.log'), text);
    rotateLogs(directory, rotation);
  }

  expect(readdirSync(directory).sort()).toEqual(['nats.log', 'nats.log.1', 'nats.log.2', 'small.log']);
  expect([read('nats.log'), read('nats.log.1'), read('nats.log.2')]).toEqual([
    '',
    'the third lines',
    'the second lines',
  ]);
});

it('lets a program go on writing at the beginning of the emptied log', async () => {
  const program = `process.on('SIGUSR2', () => {
    console.log('after'); process.exit(); }); console.log('before the rotation');`;
  const process_ = LocalProcess.start(directory, 'edge', {
    program: process.execPath,
    args: ['-e', `${program} setInterval(() => undefined, 1000)`],
  });
  const logs = path.join(directory, 'logs');
  while (!process_.lastLines().includes('before')) await new Promise((resolve) => setTimeout(resolve, 10));
  rotateLogs(logs, rotation);
  // The handler stands before the first line is written.
  process_.signal('SIGUSR2');
  await process_.exited;

  expect(readFileSync(path.join(logs, 'edge.log'), 'utf8')).toBe('after\n');
  expect(process_.lastLines()).toBe('after');
});

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LocalProcess, type ReadyCheck, untilReady } from './processes.js';

const never = new AbortController().signal;
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'aerie-processes-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = (program: string): LocalProcess =>
  LocalProcess.start(directory, 'nats', { program: process.execPath, args: ['-e', program] });
const wait = (process_: LocalProcess, check: ReadyCheck, signal = never): Promise<void> =>
  untilReady(process_, check, { say: () => undefined, signal });

describe('waiting for a program', () => {
  it('that ends tells its own lines of this run, and none of an earlier one', async () => {
    const earlier = run(`console.log('an old fault')`);
    await earlier.exited;
    const now = run(`console.log('port 4222 is taken'); process.exit(3)`);

    const failure = await wait(now, () => Promise.resolve('it does not answer yet')).catch((error: Error) => error);

    expect((failure as Error).message).toContain('nats ended with code 3 before it was ready');
    expect((failure as Error).message).toContain('port 4222 is taken');
    expect((failure as Error).message).not.toContain('an old fault');
  });

  it('that has ended is no success, although another program answers in its place', async () => {
    const ended = run('');
    await ended.exited;

    await expect(wait(ended, () => Promise.resolve(true))).rejects.toThrow('ended with code 0 before it was ready');
  });

  it('goes on as long as it runs, and through checks that throw', async () => {
    const process_ = run('setInterval(() => undefined, 1000)');
    let looks = 0;
    try {
      await wait(process_, async () => {
        if (++looks < 4) throw new Error('refused');
        return true;
      });
      expect(looks).toBe(4);
    } finally {
      await process_.stop('SIGKILL');
    }
  });

  it('ends when the start is stopped', async () => {
    const process_ = run('setInterval(() => undefined, 1000)');
    const stop = new AbortController();
    stop.abort();
    try {
      await expect(wait(process_, () => Promise.resolve('not yet'), stop.signal)).rejects.toThrow('was stopped');
    } finally {
      await process_.stop('SIGKILL');
    }
  });
});

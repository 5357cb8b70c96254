import { allOrFirstError } from './infrastructure.js';

it('when one part of a start fails, the others are stopped and waited for, and the first failure is told', async () => {
  const ended: string[] = [];
  const start = async (name: string, stopped: AbortSignal): Promise<void> => {
    if (name === 'nats') throw new Error('port 4222 is taken');
    await new Promise((resolve) => stopped.addEventListener('abort', resolve));
    // What it spawned is registered by now, so that it can be ended.
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(name);
    throw new Error('was stopped');
  };

  await expect(allOrFirstError(['postgres', 'nats', 'valkey'], undefined, start)).rejects.toThrow('port 4222 is taken');

  expect(ended).toEqual(['postgres', 'valkey']);
});

it('is stopped from outside, too', async () => {
  const stop = new AbortController();
  const starting = allOrFirstError(['postgres'], stop.signal, async (_name, stopped) => {
    await new Promise((resolve) => stopped.addEventListener('abort', resolve));
    throw new Error('was stopped');
  });
  stop.abort();

  await expect(starting).rejects.toThrow('was stopped');
});

import { createLogger } from '@aerie/observability';
import { Shutdown } from './shutdown.js';

const silent = createLogger('test', 'silent');

describe('a planned stop', () => {
  it('ends intake before work, work before connections, and storage last', async () => {
    const shutdown = new Shutdown();
    const order: string[] = [];
    for (const stage of ['storage', 'work', 'intake', 'connections'] as const) {
      shutdown.on(stage, stage, async () => {
        await Promise.resolve();
        order.push(stage);
      });
    }
    await shutdown.run(silent);
    expect(order).toEqual(['intake', 'work', 'connections', 'storage']);
  });

  it('begins a stage only when the one before has ended', async () => {
    const shutdown = new Shutdown();
    const order: string[] = [];
    let release = (): void => undefined;
    shutdown.on('intake', 'slow', () =>
      new Promise<void>((resolve) => (release = resolve)).then(() => order.push('slow')),
    );
    shutdown.on('work', 'fast', async () => order.push('fast'));
    const stopped = shutdown.run(silent);
    release();
    await stopped;
    expect(order).toEqual(['slow', 'fast']);
  });

  it('goes on when one part does not stop cleanly', async () => {
    const shutdown = new Shutdown();
    let storageClosed = false;
    shutdown.on('intake', 'broken', () => Promise.reject(new Error('broken')));
    shutdown.on('storage', 'storage', async () => (storageClosed = true));
    await shutdown.run(silent);
    expect(storageClosed).toBe(true);
  });

  it('goes on when one part throws before it begins to stop', async () => {
    const shutdown = new Shutdown();
    let storageClosed = false;
    shutdown.on('intake', 'broken', () => {
      throw new Error('broken');
    });
    shutdown.on('storage', 'storage', async () => (storageClosed = true));
    await shutdown.run(silent);
    expect(storageClosed).toBe(true);
  });

  it('makes the service not ready from its first moment', () => {
    const shutdown = new Shutdown();
    void shutdown.run(silent);
    expect(shutdown.stopping).toBe(true);
  });
});

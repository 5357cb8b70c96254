import { spawnSync } from 'node:child_process';
import { errorChain } from '@aerie/kernel';
import { Metrics } from './metrics.js';

const logged = (entry: string): Record<string, unknown> => JSON.parse(printed(entry)) as Record<string, unknown>;

/** What a process prints that logs `entry`; the logger writes past the streams of this one. */
function printed(entry: string): string {
  const program = `import { createLogger } from '${new URL('./logger.js', import.meta.url).href}';
    const logger = createLogger('test'); ${entry}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  return stdout;
}

describe('a log line', () => {
  it('names the service and the level', () => {
    expect(logged(`logger.warn('hello')`)).toMatchObject({ name: 'test', level: 'warn', msg: 'hello' });
  });

  it('tells an error with all its causes', () => {
    const error = new Error('failed to save', { cause: new Error('disk full') });
    expect(
      logged(`logger.warn({ err: new Error('failed to save', { cause: new Error('disk full') }) }, 'x')`),
    ).toMatchObject({
      err: { message: errorChain(error), type: 'Error' },
    });
  });

  it('carries the id of the request that caused it, also after a pause, and none outside of one', () => {
    const within = `const { runWithRequestId } = await import('${new URL('./request-id.js', import.meta.url).href}');
      await runWithRequestId('r-1', async () => { await null; logger.info('x'); });`;
    expect(logged(within)).toMatchObject({ requestId: 'r-1' });
    expect(logged(`logger.info('x')`)).not.toHaveProperty('requestId');
  });

  it('N83: is one line without a control character, whatever a device or a person is called', () => {
    const name = 'SN\r\n{"level":"fatal","msg":"forged"}\u001b[2J\u0000';
    const line = printed(
      `logger.warn({ sn: ${JSON.stringify(name)}, err: new Error(${JSON.stringify(name)}) }, ${JSON.stringify(name)})`,
    );
    expect(line).toMatch(/^[^\u0000-\u001f]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', sn: name, msg: name });
  });

  it.each(['password', 'mqttPassword', 'apiKey', 'authorization', 'secretAccessKey', 'sessionToken', 'url'])(
    'hides %s at the top and one level below',
    (key) => {
      const line = JSON.stringify(logged(`logger.info({ ${key}: 'hunter2', inner: { ${key}: 'hunter2' } }, 'x')`));
      expect(line).not.toContain('hunter2');
    },
  );
});

describe('metrics', () => {
  it('carry the name of the service', async () => {
    const metrics = new Metrics('some-service');
    metrics.counter('things_total', 'Things.', ['kind']).inc({ kind: 'a' });
    expect(await metrics.registry.metrics()).toContain('things_total{kind="a",service="some-service"} 1');
  });

  it('read a gauge when they are asked for', async () => {
    const metrics = new Metrics('some-service');
    let depth = 1;
    metrics.gauge('queue_depth', 'Depth.', () => depth);
    depth = 5;
    expect(await metrics.registry.metrics()).toContain('queue_depth{service="some-service"} 5');
  });
});

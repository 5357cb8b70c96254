import { Metrics, createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { showSweepers } from './show-sweepers.js';
import { Sweeper } from './sweeper.js';

const logger = createLogger('sweeper-spec', 'silent');

it('looks at once, and again and again, also after it has failed', async () => {
  let looks = 0;
  const run = async (): Promise<void> => {
    if (++looks === 1) throw new Error('not today');
  };
  const sweeper = new Sweeper({ name: 'spec', everyMs: 1, run }, logger);
  sweeper.start();
  await eventually('it has looked three times', () => looks >= 3);
  await sweeper.stop();
});

it('begins no look before the last one has ended, and stops after the one that is under way', async () => {
  let atOnce = 0;
  let most = 0;
  let looks = 0;
  let end: () => void = () => undefined;
  const run = async (): Promise<void> => {
    looks++;
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => (end = resolve));
    atOnce--;
  };
  const sweeper = new Sweeper({ name: 'spec', everyMs: 1, run }, logger);
  sweeper.start();
  end();
  await eventually('it looks again', () => looks === 2 && atOnce === 1);
  let hasStopped = false;
  const stopped = sweeper.stop().then(() => (hasStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasStopped).toBe(false);
  end();
  await stopped;
  expect([most, looks]).toEqual([1, 2]);
});

it('stops at once in the middle of a long pause', async () => {
  let looks = 0;
  const sweeper = new Sweeper({ name: 'spec', everyMs: 3_600_000, run: async () => looks++ }, logger);
  sweeper.start();
  // The look is over, and the pause has begun.
  await new Promise((resolve) => setImmediate(resolve));
  await sweeper.stop();
  expect(looks).toBe(1);
});

it('is behind while its looks fail, and in time again after one that went well', async () => {
  const metrics = new Metrics('spec');
  let fails = true;
  let looks = 0;
  const run = async (): Promise<void> => {
    looks++;
    if (fails) throw new Error('not today');
  };
  const sweeper = new Sweeper({ name: 'spec', everyMs: 1, run }, logger);
  showSweepers(metrics, [sweeper]);
  const behind = async (): Promise<number> =>
    Number(
      /chore="spec".*\} (\S+)$/m.exec(await metrics.registry.getSingleMetricAsString('sweep_behind_seconds'))?.[1],
    );
  expect(await behind()).toBe(0);
  sweeper.start();
  await eventually('it is behind', async () => looks > 1 && (await behind()) > 0.1);
  fails = false;
  await eventually('it is in time', async () => (await behind()) === 0);
  await sweeper.stop();
});

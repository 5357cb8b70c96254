import { InvalidError, UnavailableError } from '@aerie/kernel';
import { aConfig, aFolder, aKmz, aPoint, aWaylines } from './kmz.fixture.js';
import { parseInWorker } from './parse-in-worker.js';
import { readKmz } from './read-kmz.js';

const enough = { timeMs: 20_000, heapMebibytes: 256 };

async function aLargeKmz(waypoints: number): Promise<Buffer> {
  const points = Array.from({ length: waypoints }, (_, i) =>
    aPoint(i, { coordinates: `${(8 + ((i * 7919) % 99_991) / 1e6).toFixed(7)},${(47 + i / 1e6).toFixed(7)}` }),
  );
  return aKmz({ waylines: aWaylines(aConfig(), [aFolder({ points })]) });
}

describe('parseInWorker', () => {
  it('gives what readKmz gives, and leaves the bytes to their owner', async () => {
    const kmz = await aKmz();
    expect(await parseInWorker(kmz, enough)).toEqual(await readKmz(kmz));
    expect(kmz.length).toBeGreaterThan(0);
  });

  it('refuses with the same fields', async () => {
    const kmz = await aKmz({ waylines: aWaylines(aConfig({ finishAction: 'never' })) });
    const refusal: unknown = await parseInWorker(kmz, enough).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InvalidError);
    expect(refusal).toMatchObject({
      code: 'invalid_kmz',
      fields: [{ field: expect.stringContaining('<wpml:finishAction>') }],
    });
  });

  it('kills a check that takes too long', async () => {
    await expect(parseInWorker(await aLargeKmz(20_000), { timeMs: 1, heapMebibytes: 256 })).rejects.toMatchObject({
      code: 'kmz_too_complex',
      fields: [{ field: 'file', message: 'its check took longer than 1 ms' }],
    });
  });

  it('kills a check that needs too much memory', async () => {
    await expect(parseInWorker(await aLargeKmz(40_000), { timeMs: 20_000, heapMebibytes: 8 })).rejects.toMatchObject({
      code: 'kmz_too_complex',
      fields: [{ message: 'its check needed over 8 MiB of memory' }],
    });
  });

  it('lets 34 in and asks the others to come again', async () => {
    const kmz = await aKmz();
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => parseInWorker(kmz, enough)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(6);
    for (const error of refused) expect(error).toBeInstanceOf(UnavailableError);
    await expect(parseInWorker(kmz, enough)).resolves.toMatchObject({ summary: { routeCount: 1 } });
  }, 60_000);
});

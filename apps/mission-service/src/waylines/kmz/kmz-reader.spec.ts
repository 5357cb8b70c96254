import { InvalidError, UnavailableError } from '@aerie/kernel';
import { aConfig, aFolder, aKmz, aPoint, aWaylines } from './kmz.fixture.js';
import { KmzReader, type ParseLimits } from './kmz-reader.js';
import { readKmz } from './read-kmz.js';

const enough: ParseLimits = { cpuMs: 20_000, waitMs: 60_000, heapMebibytes: 256 };
const readers: KmzReader[] = [];
afterAll(() => Promise.all(readers.map((reader) => reader.stop())));

function aReader(limits: Partial<ParseLimits> = {}): KmzReader {
  const reader = new KmzReader({ ...enough, ...limits });
  readers.push(reader);
  return reader;
}

async function aLargeKmz(waypoints: number): Promise<Buffer> {
  const points = Array.from({ length: waypoints }, (_, i) =>
    aPoint(i, { coordinates: `${(8 + ((i * 7919) % 99_991) / 1e6).toFixed(7)},${(47 + i / 1e6).toFixed(7)}` }),
  );
  return aKmz({ waylines: aWaylines(aConfig(), [aFolder({ points })]) });
}

describe('reading a route file in a thread', () => {
  it('gives what readKmz gives, and leaves the bytes to their owner', async () => {
    const kmz = await aKmz();
    expect(await aReader().read(kmz)).toEqual(await readKmz(kmz));
    expect(kmz.length).toBeGreaterThan(0);
  });

  it('refuses with the same fields', async () => {
    const kmz = await aKmz({ waylines: aWaylines(aConfig({ finishAction: 'never' })) });
    const refusal: unknown = await aReader()
      .read(kmz)
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InvalidError);
    expect(refusal).toMatchObject({
      code: 'invalid_kmz',
      fields: [{ field: expect.stringContaining('<wpml:finishAction>') }],
    });
  });

  it('ends a check that needs too much CPU time, and reads the next file', async () => {
    const reader = aReader({ cpuMs: 100 });
    await expect(reader.read(await aLargeKmz(40_000))).rejects.toMatchObject({
      code: 'kmz_too_complex',
      fields: [{ field: 'file', message: 'its check needed more than 100 ms of CPU time' }],
    });
    await expect(reader.read(await aKmz())).resolves.toMatchObject({ summary: { routeCount: 1 } });
  });

  it('calls a file that was only not read in time sound enough to be sent again', async () => {
    const refusal: unknown = await aReader({ waitMs: 1 })
      .read(await aLargeKmz(40_000))
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UnavailableError);
    expect(refusal).toMatchObject({ code: 'kmz_check_not_in_time' });
  });

  it('ends a check that needs too much memory', async () => {
    // With 8 MiB the thread itself does not start on Node.js 24.
    await expect(aReader({ heapMebibytes: 16 }).read(await aLargeKmz(40_000))).rejects.toMatchObject({
      code: 'kmz_too_complex',
      fields: [{ message: 'its check needed over 16 MiB of memory' }],
    });
  });

  it('lets 34 in and asks the others to come again', async () => {
    const reader = aReader();
    const kmz = await aKmz();
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => reader.read(kmz)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(6);
    for (const error of refused) expect(error).toBeInstanceOf(UnavailableError);
    await expect(reader.read(kmz)).resolves.toMatchObject({ summary: { routeCount: 1 } });
  }, 60_000);

  it('keeps its thread for a file that comes a moment later, which costs a fraction of a start', async () => {
    const reader = aReader();
    const kmz = await aKmz();
    const before = process.cpuUsage();
    await reader.read(kmz);
    const first = process.cpuUsage(before);
    const warm = process.cpuUsage();
    for (let times = 0; times < 20; times++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await reader.read(kmz);
    }
    const twenty = process.cpuUsage(warm);
    const sum = ({ user, system }: NodeJS.CpuUsage): number => user + system;
    // One start a file would make this about 20.
    expect(sum(twenty) / sum(first)).toBeLessThan(10);
  });
});

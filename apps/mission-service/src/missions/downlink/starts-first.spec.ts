import { StartsFirst } from './starts-first.js';

/** A start that lasts until it is let go. */
function aStart(startsFirst: StartsFirst) {
  let end = (): void => undefined;
  const done = startsFirst.during(() => new Promise<void>((resolve) => (end = resolve)));
  return { end: () => (end(), done) };
}

const waited = async (work: Promise<void>): Promise<number> => {
  const startedMs = performance.now();
  await work;
  return performance.now() - startedMs;
};

describe('reports of docks', () => {
  it('wait for nobody while nothing starts', async () => {
    expect(await waited(new StartsFirst().makeWay(60_000))).toBeLessThan(20);
  });

  it('wait until the last start is done', async () => {
    const startsFirst = new StartsFirst();
    const [one, other] = [aStart(startsFirst), aStart(startsFirst)];
    let went = false;
    const going = startsFirst.makeWay(100).then(() => (went = true));
    await one.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(went).toBe(false);
    await other.end();
    await going;
    expect(went).toBe(true);
  });

  it('wait no longer than three times what the batch before took, however many start', async () => {
    const startsFirst = new StartsFirst();
    const start = aStart(startsFirst);
    const ms = await waited(startsFirst.makeWay(20));
    expect(ms).toBeGreaterThanOrEqual(55);
    expect(ms).toBeLessThan(300);
    await start.end();
  });

  it('wait less than half a second after whatever batch', async () => {
    const startsFirst = new StartsFirst();
    const start = aStart(startsFirst);
    expect(await waited(startsFirst.makeWay(60_000))).toBeLessThan(500);
    await start.end();
  });

  it('go on when a start fails', async () => {
    const startsFirst = new StartsFirst();
    const failing = startsFirst.during(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await waited(startsFirst.makeWay(60_000))).toBeLessThan(20);
  });
});

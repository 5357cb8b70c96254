import { StartsFirst } from './starts-first.js';

/** A start that lasts until it is let go. */
function aStart(startsFirst: StartsFirst) {
  let end = (): void => undefined;
  const done = startsFirst.during(() => new Promise<void>((resolve) => (end = resolve)));
  return { end: () => (end(), done) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const after = (ms: number, what: string): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve(what), ms));

/** Timers that are due go off in the order of their times, however long this process was held up. */
const firstOf = (waiting: Promise<void>, otherMs: number): Promise<string> =>
  Promise.race([waiting.then(() => 'went'), after(otherMs, 'still waits')]);

describe('reports of docks', () => {
  it('wait for nobody while nothing starts', async () => {
    let went = false;
    void new StartsFirst().makeWay(60_000).then(() => (went = true));
    await turn();
    expect(went).toBe(true);
  });

  it('wait until the last start is done', async () => {
    const startsFirst = new StartsFirst();
    const [one, other] = [aStart(startsFirst), aStart(startsFirst)];
    let went = false;
    const going = startsFirst.makeWay(60_000).then(() => (went = true));
    await one.end();
    await Promise.resolve();
    expect(went).toBe(false);
    await other.end();
    await going;
    expect(went).toBe(true);
  });

  it('wait three times as long as the batch before took, and no longer, however many start', async () => {
    const startsFirst = new StartsFirst();
    const start = aStart(startsFirst);
    expect(await firstOf(startsFirst.makeWay(50), 100)).toBe('still waits');
    expect(await firstOf(startsFirst.makeWay(20), 300)).toBe('went');
    await start.end();
  });

  it('wait less than half a second after whatever batch', async () => {
    const startsFirst = new StartsFirst();
    const start = aStart(startsFirst);
    expect(await firstOf(startsFirst.makeWay(60_000), 500)).toBe('went');
    await start.end();
  });

  it('go on when a start fails', async () => {
    const startsFirst = new StartsFirst();
    const failing = startsFirst.during(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    let went = false;
    void startsFirst.makeWay(60_000).then(() => (went = true));
    await turn();
    expect(went).toBe(true);
  });
});

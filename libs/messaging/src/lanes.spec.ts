import { Lanes } from './lanes.js';

/** Longer than any test here lasts. */
const FOR_EVER_MS = 600_000;

/** Timers go off in the order of their times, however long this process was held up. */
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

function lanesOf(maxBatch = 10) {
  const batches: string[][] = [];
  const gates: (() => void)[] = [];
  let holds = false;
  const lanes = new Lanes<string>(1, maxBatch, async (batch) => {
    batches.push([...batch]);
    if (holds) await new Promise<void>((resolve) => gates.push(resolve));
  });
  return {
    lanes,
    batches,
    hold: () => (holds = true),
    release: () => {
      holds = false;
      gates.splice(0).forEach((open) => open());
    },
  };
}

describe('what may wait for company', () => {
  it('is taken along, in its place, by what may not wait', async () => {
    const { lanes, batches } = lanesOf();
    lanes.add('D', 'one', FOR_EVER_MS);
    lanes.add('D', 'two', FOR_EVER_MS);
    await turns();
    expect(batches).toEqual([]);
    lanes.add('D', 'three');
    lanes.add('D', 'four', FOR_EVER_MS);
    await turns();
    expect(batches).toEqual([['one', 'two', 'three', 'four']]);
  });

  it('goes on waiting when something of another key may not wait', async () => {
    const { lanes, batches } = lanesOf();
    lanes.add('D', 'one', FOR_EVER_MS);
    lanes.add('E', 'two', FOR_EVER_MS);
    lanes.add('E', 'three');
    lanes.add('F', 'four');
    await turns();
    expect(batches).toEqual([['two', 'three', 'four']]);
    lanes.add('D', 'five');
    await turns();
    expect(batches).toEqual([
      ['two', 'three', 'four'],
      ['one', 'five'],
    ]);
  });

  it('keeps its order where more of its key goes than one batch holds', async () => {
    const { lanes, batches } = lanesOf(4);
    lanes.add('E', 'other', FOR_EVER_MS);
    for (const item of ['one', 'two']) lanes.add('D', item, FOR_EVER_MS);
    lanes.hurry();
    await turns();
    for (const item of ['three', 'four']) lanes.add('D', item, FOR_EVER_MS);
    lanes.add('D', 'five');
    lanes.add('D', 'six');
    await turns();
    expect(batches.flat()).toEqual(['other', 'one', 'two', 'three', 'four', 'five', 'six']);
  });

  it('waits no longer than the first of it may', async () => {
    const { lanes, batches } = lanesOf();
    const [before, after] = [pause(100), pause(300)];
    lanes.add('D', 'one', 200);
    lanes.add('E', 'two', FOR_EVER_MS);
    await before;
    expect(batches).toEqual([]);
    await after;
    expect(batches).toEqual([['one', 'two']]);
  });

  it('goes once there is a batch of it', async () => {
    const { lanes, batches } = lanesOf(3);
    for (const item of ['one', 'two', 'three', 'four']) lanes.add('D', item, FOR_EVER_MS);
    await turns();
    // The fourth was there when the first three could not wait any longer.
    expect(batches).toEqual([['one', 'two', 'three'], ['four']]);
  });

  it('goes when its lane is told to hurry', async () => {
    const { lanes, batches } = lanesOf();
    lanes.hurry();
    lanes.add('D', 'one', FOR_EVER_MS);
    await turns();
    expect(batches).toEqual([]);
    lanes.hurry();
    await turns();
    expect(batches).toEqual([['one']]);
  });

  it('waits behind a batch for others, and no longer than it would have without one', async () => {
    const { lanes, batches, hold, release } = lanesOf();
    hold();
    lanes.add('D', 'first');
    await turns();
    const [before, after] = [pause(100), pause(300)];
    lanes.add('D', 'one', 200);
    release();
    await before;
    expect(batches).toEqual([['first']]);
    await after;
    expect(batches).toEqual([['first'], ['one']]);
  });

  it('is handled at once behind a batch when something may not wait', async () => {
    const { lanes, batches, hold, release } = lanesOf();
    hold();
    lanes.add('D', 'first');
    await turns();
    lanes.add('D', 'one', FOR_EVER_MS);
    lanes.add('D', 'two');
    release();
    await turns();
    expect(batches).toEqual([['first'], ['one', 'two']]);
  });

  it('is one batch at a time, also where its time is up in the moment in which something may not wait any more', async () => {
    const { lanes, batches, hold, release } = lanesOf();
    await new Promise<void>((resolve) => {
      // Behind the timers of this turn, and before those of the next: both ways to begin are due then.
      setImmediate(() => {
        lanes.add('D', 'one', 1);
        for (const endMs = performance.now() + 5; performance.now() < endMs;);
        hold();
        lanes.add('D', 'two');
        // Behind what begins at the end of this turn, however long the machine takes until then.
        setImmediate(() => {
          lanes.add('D', 'three');
          resolve();
        });
      });
    });
    await turns();
    expect(batches).toEqual([['one', 'two']]);
    release();
    await turns();
    expect(batches).toEqual([['one', 'two'], ['three']]);
  });
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { AskTogether } from './ask-together.js';
import { RunTogether } from './run-together.js';

const caller = new AsyncLocalStorage<string>();

describe('what is done together', () => {
  it('belongs to the first of those who asked for it, not to whoever asked long before', async () => {
    const callers: (string | undefined)[] = [];
    const together = new AskTogether(async (keys: readonly string[]) => {
      callers.push(caller.getStore());
      // The second one asks while the first question is under way: its own is asked by the same loop.
      if (keys.includes('a')) second = caller.run('second', () => together.find('b'));
      return new Map<string, number>();
    });
    let second: Promise<number | null> | undefined;
    await caller.run('first', () => together.find('a'));
    await second;
    expect(callers).toEqual(['first', 'second']);
  });

  it('runs on behalf of the first of its group', async () => {
    const callers: (string | undefined)[] = [];
    const together = new RunTogether<string, string>({
      ...{ atOnce: 10, runs: 1, failsAll: () => false },
      run: async (items) => {
        callers.push(caller.getStore());
        if (items.includes('a')) second = caller.run('second', () => together.run('b'));
        return items;
      },
    });
    let second: Promise<string> | undefined;
    await caller.run('first', () => together.run('a'));
    await second;
    expect(callers).toEqual(['first', 'second']);
  });
});

import { createLogger } from './logger.js';
import { awaitedNow, retryUntilReached, sayWhileAwaited } from './waiting.js';

const logger = createLogger('test', 'silent');

describe('a server that is away', () => {
  it('is tried again until it answers, and is named meanwhile', async () => {
    const seen: (readonly string[])[] = [];
    const attempt = async (): Promise<string> => {
      seen.push(awaitedNow());
      if (seen.length < 3) throw new Error('away');
      return 'there';
    };

    await expect(retryUntilReached({ what: 'NATS', logger, attempt, isPassing: () => true })).resolves.toBe('there');

    expect(seen).toEqual([['NATS'], ['NATS'], ['NATS']]);
    expect(awaitedNow()).toEqual([]);
  });

  it('is given up at an error that does not pass by itself', async () => {
    const attempt = (): Promise<never> => Promise.reject(new Error('wrong password'));

    await expect(retryUntilReached({ what: 'NATS', logger, attempt, isPassing: () => false })).rejects.toThrow(
      'wrong password',
    );
    expect(awaitedNow()).toEqual([]);
  });

  it('is named as long as a client waits for it that repeats by itself', async () => {
    let arrive = (): void => undefined;
    const waiting = sayWhileAwaited('Redis', logger, () => new Promise<void>((resolve) => (arrive = resolve)));

    expect(awaitedNow()).toEqual(['Redis']);
    arrive();
    await waiting;
    expect(awaitedNow()).toEqual([]);
  });
});

import { type Finding, InvalidError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { BootChecks } from './boot-checks.js';

const wrong = (what: string): Finding => ({ what, field: 'setting', message: 'is wrong: change it', isError: true });
const uneasy = (what: string): Finding => ({ ...wrong(what), message: 'is small: raise it', isError: false });

describe('the examination of servers at a start', () => {
  const warnings: string[] = [];
  const ends: InvalidError[] = [];
  const logger = { warn: (_facts: object, text: string) => warnings.push(text), debug: () => undefined };
  let checks: BootChecks;
  beforeEach(() => {
    warnings.length = ends.length = 0;
    checks = new BootChecks(logger as unknown as Logger, (error) => ends.push(error));
  });
  afterEach(() => checks.stop());

  it('tells all that keeps the program from starting in one error', async () => {
    checks.examine('Redis', async () => [wrong('Redis')]);
    checks.examine('NATS', async () => {
      // Longer than a start waits for servers that it does not need.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return [wrong('NATS')];
    });
    await expect(checks.settle()).rejects.toThrow(/Redis, setting: is wrong[^]*NATS, setting: is wrong/);
    expect(ends).toEqual([]);
  });

  it('warns of the rest, and lets the program start', async () => {
    checks.examine('PostgreSQL', async () => [uneasy('PostgreSQL')]);
    await checks.settle();
    expect(warnings).toEqual(['PostgreSQL, setting: is small: raise it']);
  });

  it('tries a server that is away again', async () => {
    let tries = 0;
    checks.examine('Redis', async () => {
      if (++tries < 3) throw new Error('connect ECONNREFUSED');
      return [uneasy('Redis')];
    });
    await checks.settle();
    expect([tries, warnings.length]).toEqual([3, 1]);
  });

  it('tells what is found while the start waits for another server', async () => {
    const fields = [{ field: 'REDIS_CA_FILE', message: 'does not hold the authority' }];
    checks.examine('Redis', () => Promise.reject(new InvalidError('invalid_config', 'refused', { fields })));
    await eventually('the program is ended', () => ends.length === 1, 20_000);
    expect(ends[0]?.message).toContain('Redis, REDIS_CA_FILE: does not hold the authority');
  });

  it('does not wait for a server that is away, and ends the program once it is there and wrong', async () => {
    let isThere = false;
    checks.examine('Redis', async () => {
      if (!isThere) throw new Error('connect ECONNREFUSED');
      return [wrong('Redis')];
    });
    await checks.settle();
    isThere = true;
    await eventually('the program is ended', () => ends.length === 1, 20_000);
    expect(ends[0]?.message).toContain('Redis, setting: is wrong');
  });

  it('ends nothing after a planned stop', async () => {
    checks.examine('Redis', async () => [wrong('Redis')]);
    checks.stop();
    await checks.settle().catch(() => undefined);
    expect(ends).toEqual([]);
  });
});

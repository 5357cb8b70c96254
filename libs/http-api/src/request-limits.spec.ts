import { TooManyError } from '@aerie/kernel';
import { RequestLimits } from './request-limits.js';

let nowMs = 0;
beforeEach(() => (nowMs = 10_000));
const limits = (perKey = 2, perOrganisation = 4) =>
  new RequestLimits(
    { perKey: { perSecond: 1, burst: perKey }, perOrganisation: { perSecond: 1, burst: perOrganisation } },
    () => nowMs,
  );
const a = { keyId: 'key-a', organisationId: 'us', roles: [], siteIds: null, dockSns: null };
const b = { keyId: 'key-b', organisationId: 'us', roles: [], siteIds: null, dockSns: null };
const c = { keyId: 'key-c', organisationId: 'us', roles: [], siteIds: null, dockSns: null };
const others = { keyId: 'key-d', organisationId: 'them', roles: [], siteIds: null, dockSns: null };

const refusalOf = (work: () => void): unknown => {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof TooManyError ? error.details['limit'] : error;
  }
};
/** What is said to so many requests, one after the other. */
const ask = (of: RequestLimits, who: typeof a, times: number, permission = 'missions.plan' as const) =>
  Array.from({ length: times }, () => refusalOf(() => of.admit(who, permission)));

it('admits no more requests of one key than its budget, and says how long to wait', () => {
  const some = limits();
  expect(ask(some, a, 3)).toEqual([null, null, 'key']);
  expect(() => some.admit(a, 'missions.read')).toThrow(
    expect.objectContaining({ details: { limit: 'key', retryAfterMs: 1_000 } }) as Error,
  );
  nowMs += 1_000;
  expect(ask(some, a, 2)).toEqual([null, 'key']);
});

it('counts all sessions of one person together', () => {
  const some = limits();
  const sessionOf = (keyId: string) => ({ ...a, keyId, personId: 'anna' });
  const [one, other] = [sessionOf('session-1'), sessionOf('session-2')];
  expect([...ask(some, one, 1), ...ask(some, other, 2)]).toEqual([null, null, 'key']);
  expect(ask(some, a, 1)).toEqual([null]);
});

it('admits no more requests of one organisation than its budget, and leaves others alone', () => {
  const some = limits();
  expect([...ask(some, a, 2), ...ask(some, b, 2), ...ask(some, c, 1)]).toEqual([
    null,
    null,
    null,
    null,
    'organisation',
  ]);
  expect(ask(some, others, 1)).toEqual([null]);
});

it('lets who has used up everything still stop and cancel flights', () => {
  const some = limits();
  expect([...ask(some, a, 3), ...ask(some, b, 2), ...ask(some, c, 1)]).toEqual([
    null,
    null,
    'key',
    null,
    null,
    'organisation',
  ]);
  for (const permission of ['missions.stop', 'missions.cancel'] as const) {
    expect(refusalOf(() => some.admit(a, permission))).toBeNull();
  }
});

it('bounds what ends flights too, by itself: it takes nothing from the rest', () => {
  const some = limits();
  const said = Array.from({ length: 101 }, () => refusalOf(() => some.admit(a, 'missions.cancel')));
  expect(said.filter((refusal) => refusal === null)).toHaveLength(100);
  expect(ask(some, a, 1)).toEqual([null]);
});

describe('keys that are guessed', () => {
  const guess = async (of: RequestLimits, key: string, address: string, isGood = false): Promise<unknown> => {
    let asked = false;
    const found = await of
      .guess(key, address, async () => {
        asked = true;
        return isGood ? 'somebody' : null;
      })
      .catch((error: unknown) => (error instanceof TooManyError ? error.details['limit'] : error));
    return { found, asked };
  };
  const guessMany = async (of: RequestLimits, address: string): Promise<void> => {
    for (let number = 0; number < 60; number++) await guess(of, `wrong-${number}`, address);
  };
  const NOT_EVEN_ASKED = { found: 'address', asked: false };

  it('are not even looked at after sixty of an address', async () => {
    const some = limits();
    await guessMany(some, '192.0.2.7');
    expect(await guess(some, 'wrong', '192.0.2.7')).toEqual(NOT_EVEN_ASKED);
    expect(await guess(some, 'wrong', '192.0.2.8')).toEqual({ found: null, asked: true });
    nowMs += 1_000;
    expect(await guess(some, 'wrong', '192.0.2.7')).toEqual({ found: null, asked: true });
  });

  it('do not shut out a key behind the same address that was good before', async () => {
    const some = limits();
    await guess(some, 'good', '192.0.2.7', true);
    await guessMany(some, '192.0.2.7');
    expect(await guess(some, 'good', '192.0.2.7', true)).toEqual({ found: 'somebody', asked: true });
  });

  it('count as bad where a key was good before and is no longer', async () => {
    const some = limits();
    await guess(some, 'old', '192.0.2.7', true);
    await guessMany(some, '192.0.2.7');
    await guess(some, 'old', '192.0.2.7', false);
    expect(await guess(some, 'old', '192.0.2.7', false)).toEqual(NOT_EVEN_ASKED);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
    ['2001:db8::1', '2001:db8:0:0:5::1'],
  ])('are counted by network where the address is one of IPv6: %s, %s', async (one, other) => {
    const some = limits();
    await guessMany(some, one);
    expect(await guess(some, 'wrong', other)).toEqual(NOT_EVEN_ASKED);
    expect(await guess(some, 'wrong', '2001:db8:9:9::1')).toEqual({ found: null, asked: true });
  });
});

it('puts no more refused requests of one key on record than its budget, and lets others ask on', () => {
  const some = limits();
  const refused = (who: typeof a) => refusalOf(() => some.admitRefused(who));
  expect(Array.from({ length: 201 }, () => refused(a)).filter((limit) => limit !== null)).toEqual(['key']);
  expect(refused(b)).toBeNull();
  nowMs += 1_000;
  expect([refused(a), refused(a)]).toEqual([null, 'key']);
  expect(ask(some, a, 1)).toEqual([null]);
});

import { UnauthenticatedError } from '@aerie/kernel';
import { PasswordGuesses } from './password-guesses.js';

let nowMs = 0;
let guesses: PasswordGuesses;
const SLOWED_MS = 40;
beforeEach(() => {
  nowMs = 0;
  guesses = new PasswordGuesses(() => nowMs, SLOWED_MS);
});

const VICTIM = 'anna@example.com';
const wrongly = (email: string, address: string): Promise<string> =>
  guesses
    .prove(email, address, () => Promise.reject(new UnauthenticatedError('wrong_password', 'irrelevant')))
    .catch((error: { code: string }) => error.code);
const rightly = (email: string, address: string): Promise<string> => guesses.prove(email, address, async () => 'in');
const times = <Result>(count: number, work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_value, index) => work(index)));
const countOf = (answers: readonly string[], answer: string) => answers.filter((each) => each === answer).length;

it('looks at five of a hundred wrong passwords for one email from one address, also where all come at once [N33]', async () => {
  const answers = await times(100, () => wrongly(VICTIM, '192.0.2.1'));
  expect([countOf(answers, 'wrong_password'), countOf(answers, 'too_many_requests')]).toEqual([5, 95]);
});

it('says when to come again, and then looks at one more', async () => {
  await times(5, () => wrongly(VICTIM, '192.0.2.1'));
  const refused = guesses.prove(VICTIM, '192.0.2.1', async () => 'in');
  await expect(refused).rejects.toMatchObject({ kind: 'tooMany', details: { limit: 'address', retryAfterMs: 30_000 } });
  nowMs = 30_000;
  expect(await rightly(VICTIM, '192.0.2.1')).toBe('in');
});

it('looks at thirty wrong passwords for many emails from one address', async () => {
  const answers = await times(100, (index) => wrongly(`person-${index}@example.com`, '192.0.2.1'));
  expect([countOf(answers, 'wrong_password'), countOf(answers, 'too_many_requests')]).toEqual([30, 70]);
});

it('counts a network of IPv6 as one address, and an email in upper case as the same', async () => {
  const answers = await times(20, (index) => wrongly(index % 2 ? VICTIM : VICTIM.toUpperCase(), `2001:db8::${index}`));
  expect(countOf(answers, 'wrong_password')).toBe(5);
});

it('charges nothing for a right password', async () => {
  for (let count = 0; count < 100; count++) expect(await rightly(VICTIM, '192.0.2.1')).toBe('in');
});

it('charges nothing where the password could not be checked', async () => {
  const failing = () => guesses.prove(VICTIM, '192.0.2.1', () => Promise.reject(new Error('the database is away')));
  await Promise.allSettled(Array.from({ length: 100 }, failing));
  expect(await rightly(VICTIM, '192.0.2.1')).toBe('in');
});

describe('an email that many addresses guess at', () => {
  const guessFromEverywhere = () => times(50, (index) => wrongly(VICTIM, `198.51.100.${index}`));

  it('makes its owner wait and locks nobody out [N33]', async () => {
    await guessFromEverywhere();
    const startedMs = performance.now();
    expect(await rightly(VICTIM, '203.0.113.7')).toBe('in');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(SLOWED_MS - 1);
  });

  it('makes its owner wait for nobody where the owner signed in before', async () => {
    guesses = new PasswordGuesses(() => nowMs, 3_600_000);
    await rightly(VICTIM, '203.0.113.7');
    void guessFromEverywhere();
    expect(await rightly(VICTIM, '203.0.113.7')).toBe('in');
  });

  it('makes nobody else wait', async () => {
    await guessFromEverywhere();
    guesses = Object.assign(guesses, { slowedMs: 3_600_000 });
    expect(await rightly('berta@example.com', '203.0.113.7')).toBe('in');
  });
});

it('lets a person in who was good there before, whatever others guess from the same address', async () => {
  await rightly(VICTIM, '192.0.2.1');
  await times(100, (index) => wrongly(`person-${index}@example.com`, '192.0.2.1'));
  expect(await rightly(VICTIM, '192.0.2.1')).toBe('in');
});

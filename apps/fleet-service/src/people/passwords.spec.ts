import { Passwords, passwordProblem } from './passwords.js';

const EMAIL = 'Anna.Berg@example.com';

it.each([
  ['eleven characters', 'abcdefghijk', false],
  ['twelve characters', 'abcdefghijkl', true],
  ['twelve characters of which each is two units', '😀😃😄😁😆😅🤣😂🙂🙃😉😊', true],
  ['256 characters', 'x'.repeat(256), true],
  ['257 characters', 'x'.repeat(257), false],
  ['the email address in it', 'my anna.berg@EXAMPLE.com', false],
  ['the part before the @ in it', 'ANNA.BERG is here', false],
  ['the first name alone', 'anna likes boats', true],
])('judges a password with %s', (_what, password, good) => {
  expect(passwordProblem(password, EMAIL) === null).toBe(good);
});

it('takes a short part before the @ in a password', () => {
  expect(passwordProblem('bob the builder', 'bo@example.com')).toBeNull();
});

it('hashes with argon2id and what OWASP asks for, with another salt each time', async () => {
  const passwords = new Passwords();
  const [one, other] = await Promise.all([
    passwords.hash('four words make one'),
    passwords.hash('four words make one'),
  ]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(other);
  expect(await passwords.verify(one, 'four words make one')).toBe(true);
  expect(await passwords.verify(one, 'four words make two')).toBe(false);
});

it('takes a password for the same however its letters were typed', async () => {
  const passwords = new Passwords();
  expect(await passwords.verify(await passwords.hash('caf\u00e9 au lait, s.v.p.'), 'cafe\u0301 au lait, s.v.p.')).toBe(
    true,
  );
});

it('is wrong for a person whom nobody knows, whatever the password', async () => {
  expect(await new Passwords().verify(null, '')).toBe(false);
});

it('refuses what comes beyond those that wait, and goes on once they are done', async () => {
  const passwords = new Passwords();
  const stored = await passwords.hash('four words make one');
  const answers = await Promise.allSettled(
    Array.from({ length: 150 }, () => passwords.verify(stored, 'four words make one')),
  );
  const refused = answers.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBe(150 - 102);
  expect(refused[0]).toMatchObject({ reason: { code: 'sign_in_busy', kind: 'unavailable' } });
  expect(await passwords.verify(stored, 'four words make one')).toBe(true);
});

import { PERMISSIONS, type Permission, ROLES, isPermitted } from './access.js';

// What docs/access.md says, written down by hand and never made of access.ts: v viewer, p planner, i pilot, f fleet_admin,
// o org_admin, a auditor.
const LETTERS = { v: 'viewer', p: 'planner', i: 'pilot', f: 'fleet_admin', o: 'org_admin', a: 'auditor' } as const;
const SAID: Readonly<Record<string, string>> = {
  'docks.read': 'vpifo',
  'docks.manage': 'f',
  'docks.credentials': 'f',
  'alarms.handle': 'pif',
  'waylines.read': 'vpifo',
  'waylines.manage': 'pi',
  'missions.read': 'vpifo',
  'missions.plan': 'pi',
  'missions.start': 'i',
  'missions.approve': 'if',
  'missions.steer': 'i',
  'missions.stop': 'if',
  'missions.cancel': 'pif',
  'missions.resolve': 'if',
  'mission_policy.read': 'vpifo',
  'mission_policy.manage': 'f',
  'logs.read': 'vpifo',
  'logs.collect': 'f',
  'log_policy.read': 'vpifo',
  'log_policy.manage': 'f',
  'storage.read': 'fo',
  'storage.manage': 'f',
  'storage.objects': 'f',
  'keys.read': 'oa',
  'keys.manage': 'o',
  'people.read': 'oa',
  'people.manage': 'o',
  'audit.read': 'oa',
  'account.read': 'vpifoa',
  'account.manage': 'vpifoa',
  'error_codes.read': 'vpifoa',
};

const CASES = 20_000;
const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);
const STRANGERS = ['', 'owner', 'Pilot', 'pilot ', 'admin', '__proto__', 'constructor', 'toString', 'fleet-admin', '*'];

/** [Mulberry32] */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

it('has the permissions and roles that docs/access.md names', () => {
  expect(Object.keys(PERMISSIONS).sort()).toEqual(Object.keys(SAID).sort());
  expect([...ROLES].sort()).toEqual(Object.values(LETTERS).sort());
});

it(`permits what docs/access.md says to 20,000 generated holders of roles, and nothing else (seed ${SEED}) [N41]`, () => {
  const random = randomFrom(SEED);
  const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const letters = Object.keys(LETTERS) as (keyof typeof LETTERS)[];
  const wrong: string[] = [];
  for (let index = 0; index < CASES; index++) {
    const held = Array.from({ length: Math.floor(random() * 4) }, () =>
      random() < 0.25 ? { letter: '', role: among(STRANGERS) } : { letter: among(letters), role: '' },
    ).map(({ letter, role }) => ({ letter, role: letter === '' ? role : LETTERS[letter as keyof typeof LETTERS] }));
    const permission = among(Object.keys(SAID));
    const said = held.some(({ letter }) => letter !== '' && SAID[permission]?.includes(letter) === true);
    const roles = held.map(({ role }) => role);
    if (isPermitted(roles, permission as Permission) !== said) wrong.push(`${roles.join(', ')}: ${permission}`);
  }
  expect(wrong).toEqual([]);
});

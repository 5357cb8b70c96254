import { PERMISSIONS, type Permission, ROLES, atSites, isPermitted } from './access.js';

// What docs/access.md says, written down by hand and never made of access.ts: v viewer, p planner, i pilot, f fleet_admin,
// o org_admin, a auditor.
const LETTERS = { v: 'viewer', p: 'planner', i: 'pilot', f: 'fleet_admin', o: 'org_admin', a: 'auditor' } as const;
const SAID: Readonly<Record<string, string>> = {
  'docks.read': 'vpifo',
  'docks.register': 'f',
  'docks.manage': 'f',
  'docks.credentials': 'f',
  'alarms.handle': 'pif',
  'sites.read': 'vpifo',
  'sites.manage': 'f',
  'waylines.read': 'vpifo',
  'waylines.upload': 'pi',
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
  'log_campaigns.read': 'vpifo',
  'log_campaigns.manage': 'f',
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

/** What is left of it to whoever is limited to sites, by hand as well. */
const SAID_AT_SITES: ReadonlySet<string> = new Set([
  ...['docks.read', 'docks.manage', 'sites.read', 'alarms.handle', 'waylines.read', 'waylines.upload'],
  ...[
    'missions.read',
    'missions.plan',
    'missions.start',
    'missions.approve',
    'missions.steer',
    'missions.stop',
    'missions.cancel',
  ],
  ...['missions.resolve', 'logs.read', 'logs.collect', 'account.read', 'account.manage', 'error_codes.read'],
]);

const CASES = 20_000;
const SEED = Number(process.env['AERIE_SEED'] ?? Date.now() % 1_000_000);
const STRANGERS = [
  '',
  'owner',
  'Pilot',
  'pilot ',
  'admin',
  '__proto__',
  'constructor',
  'toString',
  'fleet-admin',
  '*',
  '@sites',
  'pilot@site',
  'pilot@sites@sites',
  'pilot@sites ',
];

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

it(`permits what docs/access.md says to 20,000 generated holders of roles, limited to sites or not, and nothing else (seed ${SEED}) [N41]`, () => {
  const random = randomFrom(SEED);
  const among = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const letters = Object.keys(LETTERS) as (keyof typeof LETTERS)[];
  const wrong: string[] = [];
  for (let index = 0; index < CASES; index++) {
    const held = Array.from({ length: Math.floor(random() * 4) }, () =>
      random() < 0.25 ? { letter: null, role: among(STRANGERS) } : { letter: among(letters), role: '' },
    );
    const isLimited = random() < 0.5;
    const permission = among(Object.keys(SAID));
    const isLeft = !isLimited || SAID_AT_SITES.has(permission);
    const said = isLeft && held.some(({ letter }) => letter !== null && SAID[permission]?.includes(letter) === true);
    const roles = held.map(({ letter, role }) => {
      if (letter === null) return role;
      return isLimited ? atSites(LETTERS[letter]) : LETTERS[letter];
    });
    if (isPermitted(roles, permission as Permission) !== said) wrong.push(`${roles.join(', ')}: ${permission}`);
  }
  expect(wrong).toEqual([]);
});

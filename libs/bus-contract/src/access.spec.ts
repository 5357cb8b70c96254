import { PERMISSIONS, type Permission, ROLES, isPermitted } from './access.js';

const permissions = Object.keys(PERMISSIONS) as Permission[];
const may = (role: string): string[] => permissions.filter((permission) => isPermitted([role], permission));

it('lets a role that nobody knows do nothing', () => {
  for (const role of ['', 'owner', 'Pilot', '__proto__', 'toString']) expect(may(role)).toEqual([]);
});

it('lets a holder without roles do nothing', () => {
  expect(permissions.filter((permission) => isPermitted([], permission))).toEqual([]);
});

it('lets a holder of several roles do what any of them may', () => {
  const both = permissions.filter((permission) => isPermitted(['planner', 'org_admin'], permission));
  expect(new Set(both)).toEqual(new Set([...may('planner'), ...may('org_admin')]));
});

it('lets only pilots start and steer flights', () => {
  expect(ROLES.filter((role) => isPermitted([role], 'missions.start'))).toEqual(['pilot']);
  expect(ROLES.filter((role) => isPermitted([role], 'missions.steer'))).toEqual(['pilot']);
});

it('lets whoever may start a flight also end it', () => {
  for (const role of ROLES.filter((each) => isPermitted([each], 'missions.start'))) {
    expect(isPermitted([role], 'missions.stop')).toBe(true);
    expect(isPermitted([role], 'missions.cancel')).toBe(true);
  }
});

it('lets whoever may plan a mission also cancel it', () => {
  for (const role of ROLES.filter((each) => isPermitted([each], 'missions.plan'))) {
    expect(isPermitted([role], 'missions.cancel')).toBe(true);
  }
});

it('lets a viewer and an auditor change nothing but their own account', () => {
  const changing = [...may('viewer'), ...may('auditor')].filter(
    (permission) => !permission.endsWith('.read') && permission !== 'account.manage',
  );
  expect(changing).toEqual([]);
});

it('lets nobody but org_admin make keys', () => {
  expect(ROLES.filter((role) => isPermitted([role], 'keys.manage'))).toEqual(['org_admin']);
});

it('grants everything to somebody', () => {
  expect(permissions.filter((permission) => PERMISSIONS[permission].length === 0)).toEqual([]);
});

import { PERMISSIONS, type Permission, ROLES, atSites, isPermitted } from './access.js';
import { sitesOf } from './questions.js';

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

it('permits at sites a part of what the role permits in the whole organisation', () => {
  for (const role of ROLES) {
    const left = may(atSites(role));
    expect(may(role)).toEqual(expect.arrayContaining(left));
    expect(
      left.filter((permission) => /^(keys|people|audit|storage|.*_policy|log_campaigns)\./.test(permission)),
    ).toEqual([]);
  }
});

it('limits a holder to no dock where its sites are not said, or roles are at sites and docks are left out', () => {
  expect(sitesOf(['viewer'], null, undefined)).toEqual({ roles: ['viewer'], siteIds: null, dockSns: null });
  expect(sitesOf([atSites('viewer')], undefined, undefined)).toMatchObject({ siteIds: [], dockSns: [] });
  expect(sitesOf(['viewer'], ['a'], null)).toEqual({ roles: ['viewer@sites'], siteIds: ['a'], dockSns: [] });
  expect(sitesOf(['viewer'], null, ['DOCK'])).toEqual({ roles: ['viewer@sites'], siteIds: [], dockSns: ['DOCK'] });
  expect(sitesOf([], ['a'], ['DOCK'])).toEqual({ roles: [], siteIds: ['a'], dockSns: ['DOCK'] });
});

it('lets nobody but org_admin make keys', () => {
  expect(ROLES.filter((role) => isPermitted([role], 'keys.manage'))).toEqual(['org_admin']);
});

it('grants everything to somebody', () => {
  expect(permissions.filter((permission) => PERMISSIONS[permission].length === 0)).toEqual([]);
});

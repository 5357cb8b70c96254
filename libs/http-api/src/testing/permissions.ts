import {
  PERMISSIONS,
  type Permission,
  type Principal,
  ROLES,
  atSites,
  isPermitted,
  plainRole,
  sitesOf,
} from '@aerie/bus-contract';
import type { RouteDescription } from '../openapi/types.js';

const MINUTE_MS = 60_000;

/** Each role in the whole organisation, and limited to sites. */
export const HELD_ROLES: readonly string[] = ROLES.flatMap((role) => [role, atSites(role)]);

/** Of a stand-in for fleet-service: a key for each of `HELD_ROLES`, `key of viewer` for example. */
export const keyOfRole = (role: string): string => `key-of-${role}`;

/** Who holds the keys of `keyOfRole`. */
export const keysOfRoles = (organisationId: string): Readonly<Record<string, Principal>> =>
  Object.fromEntries(
    HELD_ROLES.map((role) => [keyOfRole(role), { keyId: role, organisationId, ...sitesOf([role], null, null) }]),
  );

/** What fleet-service answers to the question who holds a key. */
export function holderOf(principal: Principal | undefined) {
  if (principal === undefined) return null;
  const { roles, siteIds, dockSns } = principal;
  const copied = { roles: [...roles], siteIds: siteIds && [...siteIds], dockSns: dockSns && [...dockSns] };
  return { ...principal, ...copied, validForMs: MINUTE_MS };
}

export interface GuardedApi {
  readonly url: string;
  readonly keyOf: (role: string) => string;
}

/**
 * Every role tries every route of a running service, in the whole organisation and limited to sites. A parameter that no route knows is refused after the check of the
 * permission and before anything is done, so that a call that is let in has no effect either.
 */
export function describePermissions(routes: readonly RouteDescription[], api: () => GuardedApi): void {
  const guarded = routes.flatMap((route) =>
    route.permission === undefined ? [] : [{ ...route, permission: route.permission }],
  );

  describe.each(HELD_ROLES)('a key of a %s', (role) => {
    it.each(guarded)('is let in at $operationId if the table says so', async ({ method, path, permission }) => {
      const { url, keyOf } = api();
      const response = await fetch(`${url}${path.replace(/\{\w+\}/g, '1')}?no-such-parameter=1`, {
        method: method.toUpperCase(),
        headers: { Authorization: `Bearer ${keyOf(role)}` },
      });
      const { code, detail, ...rest } = (await response.json()) as {
        code: string;
        detail?: string;
        permission?: Permission;
        grantedTo?: string[];
      };
      const granted: readonly string[] = PERMISSIONS[permission];
      if (isPermitted([role], permission)) {
        expect([response.status, code]).toEqual([422, 'unknown_parameter']);
      } else {
        expect([response.status, code]).toEqual([403, 'not_permitted']);
        expect(rest).toMatchObject({ permission, grantedTo: granted });
        const isOnlyLimited = granted.includes(plainRole(role));
        expect(detail?.includes('is limited to sites')).toBe(isOnlyLimited);
      }
    });
  });
}

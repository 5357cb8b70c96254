import { PERMISSIONS, type Permission, type Principal, ROLES, type Role } from '@aerie/bus-contract';
import type { RouteDescription } from '../openapi/types.js';

const MINUTE_MS = 60_000;

/** Of a stand-in for fleet-service: a key for each role, `key of viewer` for example. */
export const keyOfRole = (role: Role): string => `key-of-${role}`;

/** Who holds the keys of `keyOfRole`. */
export const keysOfRoles = (organisationId: string): Readonly<Record<string, Principal>> =>
  Object.fromEntries(ROLES.map((role) => [keyOfRole(role), { keyId: role, organisationId, roles: [role] }]));

/** What fleet-service answers to the question who holds a key. */
export const holderOf = (principal: Principal | undefined) =>
  principal === undefined ? null : { ...principal, roles: [...principal.roles], validForMs: MINUTE_MS };

export interface GuardedApi {
  readonly url: string;
  readonly keyOf: (role: Role) => string;
}

/**
 * Every role tries every route of a running service. A parameter that no route knows is refused after the check of the
 * permission and before anything is done, so that a call that is let in has no effect either.
 */
export function describePermissions(routes: readonly RouteDescription[], api: () => GuardedApi): void {
  const guarded = routes.flatMap((route) =>
    route.permission === undefined ? [] : [{ ...route, permission: route.permission }],
  );

  describe.each(ROLES)('a key of a %s', (role) => {
    it.each(guarded)('is let in at $operationId if the table says so', async ({ method, path, permission }) => {
      const { url, keyOf } = api();
      const response = await fetch(`${url}${path.replace(/\{\w+\}/g, '1')}?no-such-parameter=1`, {
        method: method.toUpperCase(),
        headers: { Authorization: `Bearer ${keyOf(role)}` },
      });
      const { code, ...rest } = (await response.json()) as {
        code: string;
        permission?: Permission;
        grantedTo?: string[];
      };
      const granted: readonly string[] = PERMISSIONS[permission];
      if (granted.includes(role)) {
        expect([response.status, code]).toEqual([422, 'unknown_parameter']);
      } else {
        expect([response.status, code]).toEqual([403, 'not_permitted']);
        expect(rest).toMatchObject({ permission, grantedTo: granted });
      }
    });
  });
}

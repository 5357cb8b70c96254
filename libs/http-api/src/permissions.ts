import { PERMISSIONS, type Permission, type Principal, isPermitted, plainRole } from '@aerie/bus-contract';
import { ForbiddenError } from '@aerie/kernel';
import type { RouteDescription } from './openapi/types.js';
import { routeHandledBy } from './running-route.js';

/** Throws ForbiddenError, which says what is lacking, unless one of the caller's roles has the permission. */
export function demand({ roles }: Pick<Principal, 'roles'>, permission: Permission): void {
  if (isPermitted(roles, permission)) return;
  const plain = roles.map(plainRole);
  // Only its limit stands in the way.
  const message = isPermitted(plain, permission)
    ? `this key is limited to sites, and the permission ${permission} concerns the whole organisation`
    : `this key has ${plain.length === 0 ? 'no role' : `the roles ${plain.join(', ')}`}, and none of them has the permission ${permission}`;
  throw new ForbiddenError('not_permitted', message, {
    details: { permission, grantedTo: [...PERMISSIONS[permission]] },
  });
}

/** Which permission each route demands, by what its description says. */
export class RoutePermissions {
  private readonly byRoute: ReadonlyMap<string, Permission>;
  private readonly operations: ReadonlyMap<string, string>;

  constructor(routes: readonly RouteDescription[]) {
    this.byRoute = new Map(
      routes.flatMap(({ method, path, permission }) =>
        permission === undefined ? [] : [[`${method} ${path}`, permission] as const],
      ),
    );
    this.operations = new Map(
      routes.map(({ method, path, operationId }) => [`${method} ${path}`, operationId] as const),
    );
  }

  /** The name of the route that this handler answers; null: nothing describes it. */
  operationOf(controller: object, handler: object): string | null {
    const handled = routeHandledBy(controller, handler);
    return handled === null ? null : (this.operations.get(`${handled.method} ${handled.path}`) ?? null);
  }

  /** The permission that was demanded. Throws ForbiddenError unless the caller may use the route that this handler answers; one that nothing describes is shut. */
  demand(principal: Principal, controller: object, handler: object): Permission {
    const handled = routeHandledBy(controller, handler);
    const permission = handled === null ? undefined : this.byRoute.get(`${handled.method} ${handled.path}`);
    if (permission === undefined) {
      throw new ForbiddenError(
        'no_permission_declared',
        'nobody may use this route, because no permission is declared for it',
      );
    }
    demand(principal, permission);
    return permission;
  }
}

import 'reflect-metadata';
import { type CanActivate, type ExecutionContext, Injectable, SetMetadata, createParamDecorator } from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import { type Permission, type Principal, isPermitted } from '@aerie/bus-contract';
import { ApiKeys, RequestLimits, demand, principalOf } from '@aerie/http-api';
import { ForbiddenError, UnauthenticatedError } from '@aerie/kernel';

const PERMISSIONS = 'aerie:permissions';

/** What the caller of a method has to be permitted: one of these. A method that says nothing is shut. */
export const Permitted = (...permissions: readonly [Permission, ...Permission[]]): MethodDecorator =>
  SetMetadata(PERMISSIONS, permissions);

/** What `@Permitted` says of a method; empty where it says nothing. */
export const permissionsOf = (handler: object): readonly Permission[] =>
  (Reflect.getMetadata(PERMISSIONS, handler) as readonly Permission[] | undefined) ?? [];

interface Admission {
  readonly principal: Principal;
  /** Looks again. Throws where the caller may not make the call any more, or nobody can say it. */
  readonly renew: () => Promise<void>;
}

/** Who sent the call with this metadata. An entry lives as long as the call. */
const admissions = new WeakMap<Metadata, Admission>();

export const admissionOf = (metadata: Metadata): Admission | undefined => admissions.get(metadata);

/** The call as gRPC hands it to Nest; it says where it comes from, as `ipv4:192.0.2.1:5000`. */
interface Call {
  getPeer?(): string;
}

/** Lets a call in whose metadata `authorization: Bearer <api key>` is good and whose holder may make it. */
@Injectable()
export class GrpcKeyGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly limits: RequestLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const metadata = context.switchToRpc().getContext<Metadata>();
    const [header] = metadata.get('authorization');
    const address = addressOf(context.getArgByIndex<Call | undefined>(2)?.getPeer?.() ?? '');
    const principal = await principalOf(this.keys, this.limits, header?.toString(), address);
    const permissions = permissionsOf(context.getHandler());
    this.limits.admit(principal, permissionFor(principal, permissions));
    const renew = async (): Promise<void> => {
      const now = await principalOf(this.keys, this.limits, header?.toString(), address);
      permissionFor(now, permissions);
    };
    admissions.set(metadata, { principal, renew });
    return true;
  }
}

/** What of it permits the call. Throws ForbiddenError where nothing does. */
function permissionFor(principal: Principal, permissions: readonly Permission[]): Permission {
  const [first] = permissions;
  if (first === undefined) {
    throw new ForbiddenError(
      'no_permission_declared',
      'nobody may make this call, because no permission is declared for it',
    );
  }
  const held = permissions.find((permission) => isPermitted(principal.roles, permission));
  if (held === undefined) demand(principal, first);
  return held ?? first;
}

/** The address in what gRPC calls a peer; empty where it has none, as over a Unix socket. */
export function addressOf(peer: string): string {
  const [, v6, v4] = /^(?:ipv[46]:)?(?:\[([^\]]+)\]|([\d.]+)):\d+$/.exec(peer) ?? [];
  return v6 ?? v4 ?? '';
}

/** The caller, as a parameter of a controller's method. */
export const GrpcCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const principal = admissionOf(context.switchToRpc().getContext<Metadata>())?.principal;
  if (principal === undefined) throw new UnauthenticatedError('unauthenticated', 'the call carries no API key');
  return principal;
});

import { type CanActivate, type ExecutionContext, Injectable, createParamDecorator } from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeys, principalOf } from '@aerie/http-api';
import { UnauthenticatedError } from '@aerie/kernel';

/** Who sent the call with this metadata. An entry lives as long as the call. */
const principals = new WeakMap<Metadata, Principal>();

/** Lets a call in whose metadata `authorization: Bearer <api key>` is good. */
@Injectable()
export class GrpcKeyGuard implements CanActivate {
  constructor(private readonly keys: ApiKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const metadata = context.switchToRpc().getContext<Metadata>();
    const [header] = metadata.get('authorization');
    principals.set(metadata, await principalOf(this.keys, header?.toString()));
    return true;
  }
}

/** The caller, as a parameter of a controller's method. */
export const GrpcCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const principal = principals.get(context.switchToRpc().getContext<Metadata>());
  if (principal === undefined) throw new UnauthenticatedError('unauthenticated', 'the call carries no API key');
  return principal;
});

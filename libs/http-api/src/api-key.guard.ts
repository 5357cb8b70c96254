import { createHash } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, createParamDecorator } from '@nestjs/common';
import { type Principal, apiKeyQuestion } from '@aerie/bus-contract';
import { UnauthenticatedError, UnavailableError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Request } from 'express';
import { LRUCache } from 'lru-cache';

/** How long an answer is believed: after this a revoked key is refused everywhere. */
const CACHE_MS = 60_000;
const CACHE_SIZE = 10_000;
/** Longer than any key of ours; whoever sends more is not asking about a key. */
const MAX_KEY_LENGTH = 200;

type WithPrincipal = Request & { principal?: Principal };

/** Finds out who holds a key. */
export abstract class ApiKeys {
  abstract verify(key: string): Promise<Principal | null>;
}

/** Asks fleet-service over NATS, and remembers good answers for a minute. Only a hash of the key stays in memory. */
export class RemoteApiKeys extends ApiKeys {
  private readonly cache = new LRUCache<string, Principal>({ max: CACHE_SIZE, ttl: CACHE_MS });

  constructor(private readonly connection: NatsConnection) {
    super();
  }

  override async verify(key: string): Promise<Principal | null> {
    const digest = createHash('sha256').update(key).digest('base64');
    const known = this.cache.get(digest);
    if (known !== undefined) return known;
    const { principal } = await ask(this.connection, apiKeyQuestion, { key }).catch((error: unknown) => {
      throw new UnavailableError('key_check_unavailable', 'failed to check the API key, try again', { cause: error });
    });
    if (principal !== null) this.cache.set(digest, principal);
    return principal;
  }
}

/** Lets a request in whose `Authorization: Bearer <api key>` is good. Only what describes the API goes without. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly keys: ApiKeys) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Questions between services travel on the private bus.
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<WithPrincipal>();
    request.principal = await principalOf(this.keys, request.headers.authorization);
    return true;
  }
}

/** Who holds the key in a header `Authorization: Bearer <api key>`. Throws UnauthenticatedError. */
export async function principalOf(keys: ApiKeys, header: string | undefined): Promise<Principal> {
  if (header === undefined) throw unauthenticated('send the header `Authorization: Bearer <api key>`');
  const [, key] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
  if (key === undefined || key.length > MAX_KEY_LENGTH) throw unauthenticated('the header is not `Bearer <api key>`');
  const principal = await keys.verify(key);
  if (principal === null) throw unauthenticated('the API key is not known or no longer valid');
  return principal;
}

function unauthenticated(message: string): UnauthenticatedError {
  return new UnauthenticatedError('unauthenticated', message, { fields: [{ field: 'Authorization', message }] });
}

/** The caller, as a parameter of a controller's method. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<WithPrincipal>();
  if (principal === undefined) throw unauthenticated('send the header `Authorization: Bearer <api key>`');
  return principal;
});

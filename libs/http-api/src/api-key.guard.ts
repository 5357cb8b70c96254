import { createHash, randomUUID } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, Optional, createParamDecorator } from '@nestjs/common';
import { type Principal, ROLES, apiKeyQuestion, callerName, principalQuestion, sitesOf } from '@aerie/bus-contract';
import { ForbiddenError, UnauthenticatedError, UnavailableError } from '@aerie/kernel';
import { type NatsConnection, NoAnswerError, ask } from '@aerie/messaging';
import { currentRequestId } from '@aerie/observability';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { type AuditEntry, AuditTrail, type KnownBearer } from './audit/audit-trail.js';
import { OpenRecord, callerWith, howAudited } from './audit/open-record.js';
import { RoutePermissions } from './permissions.js';
import { RequestLimits } from './request-limits.js';
import { statusHandledBy } from './running-route.js';

/** A key that was revoked is refused everywhere after this, and its streams end by the next look at them, within a minute. */
const CACHE_MS = 30_000;
const CACHE_SIZE = 10_000;
/** Longer than any key of ours; whoever sends more is not asking about a key. */
const MAX_KEY_LENGTH = 200;

const BEARER = /^Bearer +(\S+) *$/i;
/** Ids are shorter. What is longer was made up, and is kept as far as it tells something. */
const LONGEST_ID = 100;

const shortened = (params: Readonly<Record<string, string | readonly string[]>>): Record<string, string> =>
  Object.fromEntries(Object.entries(params).map(([name, id]) => [name, String(id).slice(0, LONGEST_ID)]));

type WithPrincipal = Request & { principal?: Principal };

/** Finds out who holds a key or a token of a session. */
export abstract class ApiKeys {
  /** Null: it is not known, no longer valid, or not valid from this address. */
  abstract verify(key: string, address: string): Promise<Principal | null>;
}

/** Asks fleet-service over NATS, and remembers good answers for half a minute. Only a hash of the key stays in memory. */
export class RemoteApiKeys extends ApiKeys {
  private readonly cache: LRUCache<string, Principal>;

  constructor(
    private readonly connection: NatsConnection,
    monotonic: { readonly now: () => number } = performance,
  ) {
    super();
    this.cache = new LRUCache({ max: CACHE_SIZE, ttl: CACHE_MS, ttlResolution: 0, perf: monotonic });
  }

  override async verify(key: string, address: string): Promise<Principal | null> {
    const digest = createHash('sha256').update(`${key}\n${address}`).digest('base64');
    const known = this.cache.get(digest);
    if (known !== undefined) return known;
    const found = await this.ask(key, address).catch((error: unknown) => {
      throw new UnavailableError('key_check_unavailable', 'failed to check the API key, try again', { cause: error });
    });
    if (found === null) return null;
    const { validForMs, personId, keyId, organisationId, roles, siteIds, dockSns } = found;
    const principal = { keyId, organisationId, personId: personId ?? undefined, ...sitesOf(roles, siteIds, dockSns) };
    if (validForMs > 0) this.cache.set(digest, principal, { ttl: Math.min(validForMs, CACHE_MS) });
    return principal;
  }

  private async ask(key: string, address: string) {
    try {
      return (await ask(this.connection, principalQuestion, { key, address })).principal;
    } catch (error) {
      if (!(error instanceof NoAnswerError && error.noResponders)) throw error;
    }
    // In an upgrade there may be only fleet-services of a release before 0.3.0, which know no key with fewer rights than all.
    const { principal } = await ask(this.connection, apiKeyQuestion, { key });
    if (principal === null) return null;
    return { ...principal, personId: null, roles: ROLES, siteIds: null, dockSns: null, validForMs: CACHE_MS };
  }
}

/** Lets a request in whose `Authorization: Bearer <api key>` is good and whose holder may use the route. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly permissions: RoutePermissions,
    private readonly limits: RequestLimits,
    /** None: this service keeps no trail. */
    @Optional() private readonly audit?: AuditTrail,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Questions between services travel on the private bus.
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<WithPrincipal>();
    const { headers, ip = '' } = request;
    try {
      const principal = await principalOf(this.keys, this.limits, headers.authorization, ip);
      request.principal = principal;
      this.limits.admit(principal, this.permissions.demand(principal, context.getClass(), context.getHandler()));
    } catch (error) {
      if (error instanceof ForbiddenError && request.principal !== undefined)
        this.limits.admitRefused(request.principal);
      await this.noteRefusal(context, request, error);
      throw error;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') await this.noteRequest(context, request);
    return true;
  }

  /** Before anything is done, or with what is done; how it ended is noted once the caller was told. */
  private async noteRequest(context: ExecutionContext, request: WithPrincipal): Promise<void> {
    const { audit } = this;
    const how = howAudited(context.getHandler());
    if (audit === undefined || request.principal === undefined || how === 'never') return;
    const { organisationId } = request.principal;
    const entry = this.entryOf(context, request, { organisationId, by: callerName(request.principal) });
    const response = context.switchToHttp().getResponse<Response>();
    if (how === 'before') {
      await audit.begin(entry);
      response.once('close', () => void audit.end(entry, response.headersSent ? response.statusCode : null));
      return;
    }
    const record = new OpenRecord(entry, statusHandledBy(context.getHandler()));
    request.principal = callerWith(request.principal, record);
    response.once('close', () => {
      // Whose caller has gone may still be carried out, and is on record then.
      if (response.headersSent && !record.isKept) void audit.noteAll([{ entry, status: response.statusCode }]);
    });
  }

  private async noteRefusal(context: ExecutionContext, request: WithPrincipal, error: unknown): Promise<void> {
    const { audit } = this;
    if (audit === undefined) return;
    if (error instanceof ForbiddenError && request.principal !== undefined) {
      const { organisationId } = request.principal;
      await audit.note(this.entryOf(context, request, { organisationId, by: callerName(request.principal) }), 403);
    } else if (error instanceof UnauthenticatedError) {
      const [, bearer = ''] = BEARER.exec(request.headers.authorization ?? '') ?? [];
      const owner = bearer.length > MAX_KEY_LENGTH ? null : await audit.ownerOf(bearer);
      if (owner !== null) await audit.note(this.entryOf(context, request, owner), 401);
    }
  }

  private entryOf(context: ExecutionContext, request: WithPrincipal, { organisationId, by }: KnownBearer): AuditEntry {
    return {
      ...{ id: randomUUID(), organisationId, by, address: request.ip ?? '' },
      operationId: this.permissions.operationOf(context.getClass(), context.getHandler()) ?? 'unknown',
      resources: shortened(request.params),
      requestId: currentRequestId() ?? null,
      atMs: Date.now(),
    };
  }
}

/**
 * Who holds the key in a header `Authorization: Bearer <api key>` that came from this address. Throws UnauthenticatedError, and
 * TooManyError where too many bad keys came from there.
 */
export async function principalOf(
  keys: ApiKeys,
  limits: RequestLimits,
  header: string | undefined,
  address: string,
): Promise<Principal> {
  if (header === undefined) throw unauthenticated('send the header `Authorization: Bearer <api key or token>`');
  const [, key] = BEARER.exec(header) ?? [];
  if (key === undefined || key.length > MAX_KEY_LENGTH)
    throw unauthenticated('the header is not `Bearer <api key or token>`');
  const principal = await limits.guess(key, address, () => keys.verify(key, address));
  if (principal === null) throw unauthenticated('the API key or token is not known or no longer valid');
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

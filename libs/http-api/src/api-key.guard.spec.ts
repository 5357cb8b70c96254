import { type ExecutionContext, Controller, Get } from '@nestjs/common';
import { type Principal, ROLES, apiKeyQuestion, principalQuestion } from '@aerie/bus-contract';
import type { NatsConnection } from '@aerie/messaging';
import { errors } from '@nats-io/transport-node';
import { z } from 'zod';
import { ApiKeyGuard, ApiKeys, RemoteApiKeys } from './api-key.guard.js';
import { jsonAnswer, route } from './openapi/index.js';
import { RoutePermissions } from './permissions.js';
import { RequestLimits } from './request-limits.js';

const answers = { 200: jsonAnswer('A bird.', z.strictObject({})) };
const aRoute = { method: 'get', tag: 'birds', summary: 'irrelevant', answers } as const;
const permissions = new RoutePermissions([
  route({ ...aRoute, path: '/birds', operationId: 'list', permission: 'docks.read' }),
  route({ ...aRoute, path: '/birds/open', operationId: 'open', public: true }),
]);

@Controller('birds')
class Birds {
  @Get()
  found(): void {}

  @Get('open')
  open(): void {}

  @Get('nowhere')
  nowhere(): void {}
}

class OneKey extends ApiKeys {
  constructor(private readonly roles: readonly string[]) {
    super();
  }
  override async verify(key: string): Promise<Principal | null> {
    return key === 'good' ? { keyId: 'k', organisationId: 'o', roles: this.roles, siteIds: null, dockSns: null } : null;
  }
}

const contextOf = (handler: () => void, authorization: string | undefined): ExecutionContext =>
  ({
    getType: () => 'http',
    getClass: () => Birds,
    getHandler: () => handler,
    switchToHttp: () => ({ getRequest: () => ({ headers: { authorization }, ip: '192.0.2.7' }) }),
  }) as unknown as ExecutionContext;

const NONE = { perSecond: 0, burst: 0 };
const unlimited = () => new RequestLimits({ perKey: NONE, perOrganisation: NONE });

const enter = (roles: readonly string[], handler: () => void, authorization: string | undefined = 'Bearer good') =>
  new ApiKeyGuard(new OneKey(roles), permissions, unlimited()).canActivate(contextOf(handler, authorization));
const { found, nowhere, open } = Birds.prototype;

describe('a route', () => {
  it('lets in whom a role permits it', async () => {
    expect(await enter(['viewer'], found)).toBe(true);
  });

  it('says to others what they lack', async () => {
    await expect(enter(['auditor'], found)).rejects.toMatchObject({
      kind: 'forbidden',
      code: 'not_permitted',
      details: { permission: 'docks.read' },
    });
  });

  it('is shut where no description has a permission for it', async () => {
    for (const handler of [nowhere, open]) {
      await expect(enter(ROLES, handler)).rejects.toMatchObject({ code: 'no_permission_declared' });
    }
  });

  it.each([undefined, '', 'good', 'Basic good', 'Bearer bad', 'Bearer ', `Bearer ${'x'.repeat(201)}`])(
    'says nothing of permissions to who sends %j',
    async (authorization) => {
      const entering = new ApiKeyGuard(new OneKey([]), permissions, unlimited()).canActivate(
        contextOf(nowhere, authorization),
      );
      await expect(entering).rejects.toMatchObject({ kind: 'unauthenticated' });
    },
  );
});

describe('a key that is asked for', () => {
  let asked: { readonly subject: string; readonly data: unknown }[] = [];
  let holder: object | null = null;
  let nowMs = 0;
  const clock = { now: () => nowMs };
  let noResponders: ReadonlySet<string> = new Set();
  const nats = {
    request: async (subject: string, packet: string) => {
      asked.push({ subject, data: (JSON.parse(packet) as { data: unknown }).data });
      if (noResponders.has(subject)) throw new errors.NoRespondersError(subject);
      return { json: () => ({ response: { principal: holder } }) };
    },
  } as unknown as NatsConnection;
  const WHOLE = { siteIds: null, dockSns: null };
  const aHolder = { keyId: 'k', organisationId: 'o', roles: ['viewer'], validForMs: 60_000 };

  beforeEach(() => {
    asked = [];
    holder = aHolder;
    noResponders = new Set();
    nowMs = 1_000;
  });

  it('asks again for a key once half a minute has passed', async () => {
    const keys = new RemoteApiKeys(nats, clock);
    expect(await keys.verify('key', '192.0.2.7')).toEqual({
      keyId: 'k',
      organisationId: 'o',
      roles: ['viewer'],
      ...WHOLE,
    });
    nowMs += 29_000;
    await keys.verify('key', '192.0.2.7');
    expect(asked).toHaveLength(1);
    holder = null;
    nowMs += 2_000;
    expect(await keys.verify('key', '192.0.2.7')).toBeNull();
  });

  it('is believed until it ends, where that is sooner', async () => {
    const keys = new RemoteApiKeys(nats, clock);
    holder = { ...aHolder, validForMs: 5_000 };
    await keys.verify('key', '');
    holder = null;
    nowMs += 6_000;
    expect(await keys.verify('key', '')).toBeNull();
  });

  it('is asked for once more from another address', async () => {
    const keys = new RemoteApiKeys(nats, clock);
    await keys.verify('key', '192.0.2.7');
    holder = null;
    expect(await keys.verify('key', '192.0.2.8')).toBeNull();
    expect(asked.map(({ data }) => data)).toEqual([
      { key: 'key', address: '192.0.2.7' },
      { key: 'key', address: '192.0.2.8' },
    ]);
  });

  it('that was refused is asked for each time: it may have been made since', async () => {
    const keys = new RemoteApiKeys(nats, clock);
    holder = null;
    expect(await keys.verify('key', '')).toBeNull();
    holder = aHolder;
    expect(await keys.verify('key', '')).not.toBeNull();
  });

  it('may do everything where only a fleet-service is there that knows no roles', async () => {
    noResponders = new Set([principalQuestion.subject]);
    holder = { keyId: 'k', organisationId: 'o' };
    expect(await new RemoteApiKeys(nats, clock).verify('key', '')).toEqual({
      keyId: 'k',
      organisationId: 'o',
      roles: ROLES,
      ...WHOLE,
    });
    expect(asked.map(({ subject }) => subject)).toEqual([principalQuestion.subject, apiKeyQuestion.subject]);
  });

  it('names the person where it is the token of a session', async () => {
    holder = { ...aHolder, personId: 'p' };
    const principal = await new RemoteApiKeys(nats, clock).verify('token', '');
    expect(principal).toEqual({ keyId: 'k', personId: 'p', organisationId: 'o', roles: ['viewer'], ...WHOLE });
    holder = { ...aHolder, personId: null };
    expect(await new RemoteApiKeys(nats, clock).verify('key', '')).toMatchObject({ personId: undefined });
  });

  it('is not taken for good where nobody answers', async () => {
    noResponders = new Set([principalQuestion.subject, apiKeyQuestion.subject]);
    const verifying = new RemoteApiKeys(nats, clock).verify('key', '');
    await expect(verifying).rejects.toMatchObject({ kind: 'unavailable', code: 'key_check_unavailable' });
  });
});

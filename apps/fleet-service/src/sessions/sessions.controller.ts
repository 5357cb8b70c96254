import { Body, Controller, Delete, Get, Param, Post, Put, Req, UseGuards } from '@nestjs/common';
import { PERMISSIONS, type Permission, type Principal, callerName, isPermitted, plainRole } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, readInput } from '@aerie/http-api';
import { ForbiddenError, isUuid } from '@aerie/kernel';
import type { Request } from 'express';
import { Callers } from './callers.js';
import { passwordChange, signInInput } from './session.schema.js';
import { type SessionRow, SessionStore } from './session.store.js';
import { SignIn } from './sign-in.js';

/** For people who have no session yet. */
@Controller('api/v1/sessions')
export class SignInController {
  constructor(private readonly signIns: SignIn) {}

  /** The answer holds the token, this one time. */
  @Post()
  async signIn(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    const { token, row } = await this.signIns.signIn(readInput(signInInput, body), ip);
    return { ...sessionView(row), token };
  }
}

/** Sessions of the caller. */
@Controller('api/v1/sessions')
@UseGuards(ApiKeyGuard)
export class SessionsController {
  constructor(private readonly sessions: SessionStore) {}

  @Get()
  async list(@Caller() caller: Principal): Promise<unknown> {
    const rows = await this.sessions.list(personOf(caller), caller.keyId);
    return { items: rows.map((row) => ({ ...sessionView(row), current: row.id === caller.keyId })) };
  }

  @Delete(':id')
  async end(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const personId = personOf(caller);
    const row = isUuid(id) ? await this.sessions.end(personId, id, caller.keyId) : null;
    if (row === null) throw unknownSession(id);
    return sessionView(row);
  }
}

/** Who the caller is. */
@Controller('api/v1/me')
@UseGuards(ApiKeyGuard)
export class MeController {
  constructor(
    private readonly callers: Callers,
    private readonly signIns: SignIn,
  ) {}

  @Get()
  async show(@Caller() caller: Principal): Promise<unknown> {
    const { organisationId, personId = null, roles, siteIds } = caller;
    const row = await this.callers.find(organisationId, personId);
    return {
      by: callerName(caller),
      organisation: { id: organisationId, name: row.organisation },
      roles: roles.map(plainRole),
      siteIds,
      permissions: (Object.keys(PERMISSIONS) as Permission[]).filter((permission) => isPermitted(roles, permission)),
      person: personId === null ? null : { id: personId, email: row.email, name: row.name },
    };
  }

  @Put('password')
  async changePassword(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Req() { ip = '' }: Request,
  ): Promise<unknown> {
    const wish = readInput(passwordChange, body);
    const ids = { personId: personOf(caller), sessionId: caller.keyId };
    return { endedSessions: await this.signIns.changePassword(ids, wish, ip) };
  }
}

/** Throws ForbiddenError for an API key. */
export function personOf({ personId }: Principal): string {
  if (personId !== undefined) return personId;
  throw new ForbiddenError('not_a_person', 'an API key has no sessions and no password; sign in as a person');
}

const unknownSession = (id: string) =>
  notThere({
    ...{ code: 'unknown_session', noun: 'valid session of yours', field: 'id', sent: id },
    advice: 'GET /api/v1/sessions lists them',
  });

export const sessionView = (row: SessionRow) => ({
  id: row.id,
  organisation: { id: row.organisation_id, name: row.organisation },
  address: row.address,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at.toISOString(),
  endsAt: row.ends_at.toISOString(),
});

import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, readInput } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { Request } from 'express';
import { personOf, sessionView } from '../sessions/sessions.controller.js';
import { newPasskey, optionsWish, passkeySignIn } from './passkey.schema.js';
import type { Holder, PasskeyRow } from './passkey.store.js';
import { SignInByPasskeys } from './sign-in-by-passkeys.js';

/** For people who have no session yet. */
@Controller('api/v1/sessions/passkey')
export class PasskeySignInController {
  constructor(private readonly signIns: SignInByPasskeys) {}

  @Post('options')
  begin(@Req() { ip = '' }: Request): Promise<unknown> {
    return this.signIns.passkeys.beginSignIn(ip);
  }

  /** The answer holds the token, this one time. */
  @Post()
  async signIn(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    const wish = readInput(passkeySignIn, body);
    const { token, row } = await this.signIns.passkeys.signIn(wish, ip);
    return { ...sessionView(row), token };
  }
}

/** Passkeys of the caller. */
@Controller('api/v1/me/passkeys')
@UseGuards(ApiKeyGuard)
export class PasskeysController {
  constructor(private readonly signIns: SignInByPasskeys) {}

  @Get()
  async list(@Caller() caller: Principal): Promise<unknown> {
    const rows = await this.signIns.passkeys.store.list((await this.holderOf(caller)).personId);
    return { items: rows.map(passkeyView) };
  }

  @Post('options')
  async begin(@Caller() caller: Principal, @Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    const { currentPassword } = readInput(optionsWish, body);
    const { personId } = await this.holderOf(caller);
    return this.signIns.passkeys.beginAdding(personId, currentPassword, ip);
  }

  @Post()
  @HttpCode(201)
  async add(@Caller() caller: Principal, @Body() body: unknown): Promise<unknown> {
    const wish = readInput(newPasskey, body);
    return passkeyView(await this.signIns.passkeys.add(await this.holderOf(caller), wish));
  }

  private async holderOf(caller: Principal): Promise<Holder> {
    const holder = { personId: personOf(caller), sessionId: caller.keyId };
    await this.signIns.passkeys.store.check(holder);
    return holder;
  }

  @Delete(':id')
  async remove(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const { store } = this.signIns.passkeys;
    const removed = isUuid(id) ? await store.remove(personOf(caller), id, caller.keyId) : null;
    if (removed === null) throw unknownPasskey(id);
    return { ...passkeyView(removed.row), endedSessions: removed.endedSessions };
  }
}

const passkeyView = (row: PasskeyRow) => ({
  id: row.id,
  name: row.name,
  synced: row.synced,
  createdAt: row.created_at.toISOString(),
  lastUsedAt: row.last_used_at?.toISOString() ?? null,
});

const unknownPasskey = (id: string) =>
  notThere({
    ...{ code: 'unknown_passkey', noun: 'passkey of yours', field: 'id', sent: id },
    advice: 'GET /api/v1/me/passkeys lists them',
  });

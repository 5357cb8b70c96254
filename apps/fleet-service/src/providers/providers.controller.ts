import { Body, Controller, Delete, Get, Param, Patch, Post, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, readInput } from '@aerie/http-api';
import { Secret, isUuid } from '@aerie/kernel';
import { newProvider, providerChange } from './provider.schema.js';
import { redirectUriOf } from './provider-clients.js';
import type { ProviderRow } from './provider.store.js';
import { SignInByProviders } from './sign-in-by-providers.js';

/** Identity providers of the caller's organisation. */
@Controller('api/v1/identity-providers')
@UseGuards(ApiKeyGuard)
export class ProvidersController {
  constructor(private readonly providers: SignInByProviders) {}

  /** Fetches the metadata first, so that a wrong issuer is reported here and not at the first sign-in. */
  @Post()
  async make(@Caller() caller: Principal, @Body() body: unknown): Promise<unknown> {
    const wish = readInput(newProvider, body);
    const { store, clients } = this.providers.parts;
    const secret = async (): Promise<Secret> => new Secret(wish.clientSecret);
    const { organisationId } = caller;
    await clients.checkReachable({ id: `new at ${wish.issuer}`, organisationId, revision: 0, ...wish, secret });
    return this.viewOf(await store.make(caller, wish));
  }

  @Get()
  async list(@Caller() { organisationId }: Principal): Promise<unknown> {
    const rows = await this.providers.parts.store.list(organisationId);
    return { items: rows.map((row) => this.viewOf(row)) };
  }

  @Patch(':id')
  async change(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<unknown> {
    const wish = readInput(providerChange, body);
    const { store } = this.providers.parts;
    const row = isUuid(id) ? await store.change(caller, id, wish) : null;
    if (row === null) throw unknownProvider(id);
    return this.viewOf(row);
  }

  @Delete(':id')
  async remove(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const { store } = this.providers.parts;
    const row = isUuid(id) ? await store.remove(caller, id) : null;
    if (row === null) throw unknownProvider(id);
    return this.viewOf(row);
  }

  private viewOf(row: ProviderRow) {
    const { newcomer_roles: roles, newcomer_domains: emailDomains } = row;
    return {
      id: row.id,
      name: row.name,
      issuer: row.issuer,
      clientId: row.client_id,
      newcomers: roles === null || emailDomains === null ? null : { roles, emailDomains },
      signInPath: `/api/v1/sign-in/oidc/${row.id}`,
      returnUrl: redirectUriOf(this.providers.parts.returnUrl, { organisationId: row.organisation_id }),
      createdAt: row.created_at.toISOString(),
      createdBy: row.created_by,
    };
  }
}

export const unknownProvider = (id: string) =>
  notThere({
    ...{ code: 'unknown_provider', noun: 'identity provider', field: 'id', sent: id },
    advice: 'GET /api/v1/identity-providers lists the providers',
  });

import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { readInput } from '@aerie/http-api';
import type { CookieOptions, Request, Response } from 'express';
import { sessionView } from '../sessions/sessions.controller.js';
import { LONGEST_MS } from './pending-sign-in.js';
import { callbackQuery } from './provider.schema.js';
import { unknownProvider } from './providers.controller.js';
import { SignInByProviders } from './sign-in-by-providers.js';

/** Browsers of people without a session. */
@Controller('api/v1/sign-in/oidc')
export class ProviderSignInController {
  constructor(private readonly providers: SignInByProviders) {}

  /** The redirect URI of the providers of an organisation. The answer shows the token once. */
  @Get('callback/:organisationId')
  async finish(
    @Param('organisationId') organisationId: string,
    @Query() sent: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const query = readInput(callbackQuery, sent, 'query');
    const { signIn, returnUrl } = this.providers.parts;
    const { name, options } = cookieFor(returnUrl);
    const { token, row } = await signIn.finish(cookieOf(request, name), { organisationId, query }, request.ip ?? '');
    noStore(response)
      .clearCookie(name, options)
      .status(200)
      .json({ ...sessionView(row), token });
  }

  @Get(':id')
  async begin(@Param('id') id: string, @Req() { ip = '' }: Request, @Res() response: Response): Promise<void> {
    const { signIn, returnUrl } = this.providers.parts;
    const pending = await signIn.begin(id, ip);
    if (pending === null) throw unknownProvider(id);
    const { name, options } = cookieFor(returnUrl);
    noStore(response)
      .cookie(name, pending.sealed, { ...options, maxAge: LONGEST_MS })
      .redirect(302, pending.location);
  }
}

const noStore = (response: Response): Response => response.set('Cache-Control', 'no-store');

/** Lax, because the browser must send it when the provider redirects back. `__Host-`: no other host can set it. */
function cookieFor(returnUrl: string): { readonly name: string; readonly options: CookieOptions } {
  const secure = returnUrl.startsWith('https:');
  const options = { httpOnly: true, sameSite: 'lax', path: '/', secure } as const;
  return { name: secure ? '__Host-aerie_sign_in' : 'aerie_sign_in', options };
}

function cookieOf({ headers }: Request, name: string): string | null {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1);
}

import { ROLES } from '@aerie/bus-contract';
import { listSchema } from '@aerie/http-api';
import { z } from 'zod';
import { roles } from '../people/people.schema.js';

/** What callers send and get of identity providers. Strict, and a test holds real answers against it. */

const MOST_DOMAINS = 20;
const DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;

const name = z.string().trim().min(1).max(100).describe('Name that members see.');
const issuer = z
  .url()
  .max(500)
  .refine((text) => !text.includes('/.well-known/'), 'must be the issuer without /.well-known/openid-configuration')
  .refine((text) => !/[?#@]/.test(text), 'must have no query, no fragment and no user')
  .describe('Issuer URL, as in `iss` of its tokens: without `/.well-known/openid-configuration`.');
const clientId = z.string().trim().min(1).max(500).describe('Client id of Aerie at the provider.');
const clientSecret = z.string().min(1).max(2_000).describe('Client secret. It is stored sealed and never shown.');

const newcomers = z
  .strictObject({
    roles,
    emailDomains: z
      .array(z.string().toLowerCase().max(253).regex(DOMAIN, 'must be a domain, as example.com'))
      .min(1)
      .max(MOST_DOMAINS)
      .describe('Domains of verified email addresses. Subdomains are not included.'),
  })
  .nullable()
  .describe('Makes people members who have no invitation. Null: an invitation is required.');

export const newProvider = z.strictObject({ name, issuer, clientId, clientSecret, newcomers: newcomers.default(null) });

export const providerChange = z
  .strictObject({
    name: name.optional(),
    clientId: clientId.optional(),
    clientSecret: clientSecret.optional(),
    newcomers: newcomers.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'must change something');

export type NewProvider = z.output<typeof newProvider>;
export type ProviderChange = z.output<typeof providerChange>;

export const providerSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the provider.'),
    name: z.string().describe('Name that members see.'),
    issuer: z.string().describe('The issuer.'),
    clientId: z.string().describe('Client id of Aerie at the provider.'),
    newcomers: z
      .strictObject({
        roles: z.array(z.enum(ROLES)).describe('Their roles.'),
        emailDomains: z.array(z.string()).describe('Domains of verified email addresses.'),
      })
      .nullable()
      .describe('Makes people members who have no invitation. Null: an invitation is required.'),
    signInPath: z.string().describe('Path at which a browser begins the sign-in.'),
    returnUrl: z.string().describe('Redirect URI to register at the provider.'),
    createdAt: z.iso.datetime().describe('When it was connected. RFC 3339, UTC.'),
    createdBy: z.string().describe('Who connected it: `person:` or `key:`, and an id.'),
  })
  .describe('An identity provider without its secret.');
export const providerListSchema = listSchema(providerSchema, 'All identity providers of the organisation.');

/** Query of the callback. Providers add more than the four parameters that are read; the common ones are accepted and ignored. */
const sent = (most: number, says: string) => z.string().max(most).optional().describe(says);
export const callbackQuery = z.strictObject({
  code: sent(4_000, 'Authorization code.'),
  state: sent(200, 'State of the authorization request.'),
  error: sent(200, 'Error code of the provider.'),
  iss: sent(500, 'Issuer. [RFC 9207]'),
  error_description: sent(2_000, 'Ignored.'),
  error_uri: sent(2_000, 'Ignored.'),
  session_state: sent(2_000, 'Ignored.'),
  client_info: sent(4_000, 'Ignored.'),
  scope: sent(2_000, 'Ignored.'),
  authuser: sent(200, 'Ignored.'),
  hd: sent(300, 'Ignored.'),
  prompt: sent(200, 'Ignored.'),
});
export type CallbackQuery = z.output<typeof callbackQuery>;

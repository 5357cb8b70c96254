import { isIP } from 'node:net';
import { ROLES, ROLE_SAYS } from '@aerie/bus-contract';
import { instantInput, pageQuery, pageSchema, queryFlag } from '@aerie/http-api';
import { z } from 'zod';
import { shownSiteIds, siteIds } from '../sites/site.schema.js';

/** What callers send and get of API keys. Strict, and a test holds real answers against it. */

const MOST_ADDRESSES = 50;
const WEEK_SECONDS = 7 * 24 * 3_600;

const role = z.enum(ROLES);
const rolesSaid = ROLES.map((name) => `\`${name}\` ${ROLE_SAYS[name]}`).join('; ');

const network = z
  .string()
  .max(50)
  .refine(isNetwork, 'must be an address or a network, as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32');

export const newKey = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('For people: who or what uses it.'),
  roles: z
    .array(role)
    .min(1)
    .max(ROLES.length)
    .refine((roles) => new Set(roles).size === roles.length, 'must name each role once')
    .describe(`What its holder may do: ${rolesSaid}.`),
  siteIds: siteIds.default(null),
  expiresAt: instantInput.nullable().default(null).describe('From when on it is refused, RFC 3339. Null: never.'),
  addresses: z
    .array(network)
    .min(1)
    .max(MOST_ADDRESSES)
    .nullable()
    .default(null)
    .describe('Addresses and networks from which it may be used. Null: from everywhere.'),
});

export const rotation = z.strictObject({
  keepSeconds: z
    .int()
    .min(0)
    .max(WEEK_SECONDS)
    .default(3_600)
    .describe('How long the old key goes on being valid, seconds. 0: it ends now.'),
  expiresAt: newKey.shape.expiresAt.describe('When the new key expires, RFC 3339. Null: never.'),
});

export const keyListQuery = z.strictObject({
  ...pageQuery.shape,
  valid: queryFlag.optional().describe('Only keys that are valid now, or only those that are not.'),
});

const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);

const keyMembers = {
  id: z.uuid().describe('Id of the key: the part of it between the underscores.'),
  name: z.string().describe('For people.'),
  roles: z.array(z.string()).describe('What its holder may do.'),
  siteIds: shownSiteIds,
  valid: z.boolean().describe('Whether it is taken now, from an address that it may be used from.'),
  expiresAt: instantOrNull('From when on it is refused. Null: never.'),
  addresses: z.array(z.string()).nullable().describe('From where it may be used. Null: from everywhere.'),
  lastUsedAt: instantOrNull('When it was used last, exact to a minute. Null: never.'),
  createdAt: z.iso.datetime().describe('When it was made. RFC 3339, UTC.'),
  createdBy: z
    .string()
    .nullable()
    .describe(
      'Who made it: `key:` and the id of a key, `person:` and the id of a person, or `command`. Null: not known.',
    ),
  revokedAt: instantOrNull(
    'When it was or will be revoked; in the future where another one takes its place. Null: not.',
  ),
  revokedBy: z.string().nullable().describe('Who revoked or replaced it. Null: nobody.'),
  replaces: z.uuid().nullable().describe('The key in whose place it came. Null: none.'),
};

export const keySchema = z.strictObject(keyMembers).describe('An API key without its secret.');
export const keyPageSchema = pageSchema(keySchema, 'One page of keys.');
export const madeKeySchema = z
  .strictObject({ ...keyMembers, key: z.string().describe('The key itself, shown this one time.') })
  .describe('A new API key.');

/** Whether bits are set behind the prefix is what the database knows. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

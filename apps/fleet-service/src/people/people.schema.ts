import { ROLES, ROLE_SAYS } from '@aerie/bus-contract';
import { pageQuery, pageSchema, queryFlag } from '@aerie/http-api';
import { z } from 'zod';
import { shownSiteIds, siteIds } from '../sites/site.schema.js';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords.js';

/** What callers send and get of people and their organisations. Strict, and a test holds real answers against it. */

const rolesSaid = ROLES.map((name) => `\`${name}\` ${ROLE_SAYS[name]}`).join('; ');
/** As browsers read it. [HTML, valid e-mail address] */
const EMAIL = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$/;
const LONGEST_EMAIL = 254;
const MOST_HOURS = 14 * 24;

export const email = z
  .string()
  .trim()
  .max(LONGEST_EMAIL)
  .refine((text) => EMAIL.test(text), 'must be an email address, as anna@example.com')
  .describe('Email address. Upper and lower case are the same.');
const name = z.string().trim().min(1).max(100);
const personName = name.describe('How the person is called.');
/** Longer ones are refused before they are read on; how long a new one has to be is told beside it. */
export const password = z.string().min(1).max(2_000);
const newPassword = password.describe(
  `${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters, without the email address in it.`,
);
const token = z.string().min(1).max(200);
export const roles = z
  .array(z.enum(ROLES))
  .min(1)
  .max(ROLES.length)
  .refine((list) => new Set(list).size === list.length, 'must name each role once')
  .describe(`What the person may do: ${rolesSaid}.`);

export const setup = z.strictObject({
  token: token.describe('As `create-setup-link.js` printed it.'),
  organisation: name.describe('Name of the new organisation.'),
  email,
  name: personName,
  password: newPassword,
});

export const newInvitation = z.strictObject({
  email,
  roles,
  siteIds: siteIds.default(null),
  validHours: z.int().min(1).max(MOST_HOURS).default(72).describe('For how long the token can be used, hours.'),
});

export const acceptance = z.strictObject({
  token: token.describe('As the inviter got it.'),
  name: personName.optional().describe('How the person is called. Required of who is a member of nothing yet.'),
  password: password.describe(
    'Of who is a member of another organisation: the password of that person. Of others a new one: ' +
      `${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters, without the email address in it.`,
  ),
});

export const memberChange = z.strictObject({
  roles,
  siteIds: siteIds.optional().describe(`${shownSiteIds.description ?? ''} Not sent: as before.`),
});

export const invitationListQuery = z.strictObject({
  ...pageQuery.shape,
  open: queryFlag.optional().describe('Only invitations that can be accepted now, or only those that cannot.'),
});
export const memberListQuery = z.strictObject({ ...pageQuery.shape });

const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);
const by = (says: string) => z.string().describe(`${says}: \`person:\` or \`key:\`, and an id.`);

export const memberSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the person.'),
    email: z.string().describe('Email address.'),
    name: z.string().describe('How the person is called.'),
    roles: z.array(z.string()).describe('What the person may do.'),
    siteIds: shownSiteIds,
    joinedAt: z.iso.datetime().describe('Since when the person is a member. RFC 3339, UTC.'),
    invitedBy: by('Who invited the person, or `setup`'),
  })
  .describe('A person who is a member of the organisation.');
export const memberPageSchema = pageSchema(memberSchema, 'One page of members.');

export const organisationSchema = z.strictObject({
  id: z.uuid().describe('Id of the organisation.'),
  name: z.string().describe('Its name.'),
});

export const joinedSchema = z
  .strictObject({ organisation: organisationSchema.describe('The organisation.'), member: memberSchema })
  .describe('A person who has just become a member.');

const invitationMembers = {
  id: z.uuid().describe('Id of the invitation.'),
  email: z.string().describe('Whom it is for.'),
  roles: z.array(z.string()).describe('What the person may do after accepting.'),
  siteIds: shownSiteIds,
  open: z.boolean().describe('Whether it can be accepted now.'),
  expiresAt: z.iso.datetime().describe('From when on it cannot be accepted. RFC 3339, UTC.'),
  createdAt: z.iso.datetime().describe('When it was made. RFC 3339, UTC.'),
  createdBy: by('Who made it'),
  acceptedAt: instantOrNull('When it was accepted. Null: not.'),
  acceptedBy: z.uuid().nullable().describe('Id of the person who accepted it. Null: nobody.'),
  revokedAt: instantOrNull('When it was revoked. Null: not.'),
  revokedBy: z.string().nullable().describe('Who revoked it. Null: nobody.'),
};

export const invitationSchema = z.strictObject(invitationMembers).describe('An invitation without its token.');
export const invitationPageSchema = pageSchema(invitationSchema, 'One page of invitations.');
export const madeInvitationSchema = z
  .strictObject({
    ...invitationMembers,
    token: z.string().describe('What the person accepts it with, shown this one time. Hand it on in private.'),
  })
  .describe('A new invitation.');

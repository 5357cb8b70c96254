import { listSchema, problemSchema } from '@aerie/http-api';
import { z } from 'zod';
import { email, organisationSchema, password } from '../people/people.schema.js';
import { shownSiteIds } from '../sites/site.schema.js';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../people/passwords.js';

/** What callers send and get of sessions and of who they are. Strict, and a test holds real answers against it. */

export const signInInput = z.strictObject({
  email,
  password: password.describe('Password of the person.'),
  organisationId: z.uuid().optional().describe('Required of who is a member of several organisations.'),
});

export const passwordChange = z.strictObject({
  currentPassword: password.describe('The one that is valid now.'),
  newPassword: password.describe(
    `${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters, without the email address in it.`,
  ),
});

const organisation = organisationSchema.describe('The organisation in which it is valid.');
const sessionMembers = {
  id: z.uuid().describe('Id of the session: the part of its token between the underscores.'),
  organisation,
  address: z.string().describe('From where the person signed in.'),
  createdAt: z.iso.datetime().describe('When the person signed in. RFC 3339, UTC.'),
  lastUsedAt: z.iso.datetime().describe('When it was used last, exact to a minute. RFC 3339, UTC.'),
  endsAt: z.iso
    .datetime()
    .describe('When it ends at the latest; earlier where nobody uses it for a while. RFC 3339, UTC.'),
};

export const sessionSchema = z.strictObject(sessionMembers).describe('A session without its token.');
export const madeSessionSchema = z
  .strictObject({ ...sessionMembers, token: z.string().describe('The token itself, shown this one time.') })
  .describe('A new session.');
export const sessionListSchema = listSchema(
  z.strictObject({ ...sessionMembers, current: z.boolean().describe('Whether it is the one of this request.') }),
  'All valid sessions of the person.',
);

export const organisationRequiredSchema = problemSchema.extend({
  organisations: z.array(organisationSchema).optional().describe('Those that the person is a member of.'),
});

export const passwordChangedSchema = z.strictObject({
  endedSessions: z.int().describe('How many other sessions of the person have ended with it.'),
});

export const meSchema = z
  .strictObject({
    by: z.string().describe('As who made something is kept: `person:` or `key:`, and an id.'),
    organisation,
    roles: z.array(z.string()).describe('What the caller may do.'),
    siteIds: shownSiteIds,
    permissions: z.array(z.string()).describe('The same, permission by permission.'),
    person: z
      .strictObject({
        id: z.uuid().describe('Id of the person.'),
        email: z.string().describe('Email address.'),
        name: z.string().describe('How the person is called.'),
      })
      .nullable()
      .describe('Null: the caller has an API key.'),
  })
  .describe('Who the caller is.');

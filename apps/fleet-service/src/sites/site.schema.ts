import { MOST_DOCKS_OF_SITE, MOST_SITES_OF_HOLDER } from '@aerie/bus-contract';
import { pageQuery, pageSchema } from '@aerie/http-api';
import { z } from 'zod';

/** What callers send and get of sites. Strict, and a test holds real answers against it. */

const degrees = (limit: number, says: string) => z.number().min(-limit).max(limit).nullable().describe(says);

const members = {
  name: z.string().trim().min(1).max(100).describe('For people, and unique in the organisation.'),
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be the name of a time zone, as Europe/Berlin or UTC')
    .describe('Time zone as IANA names it, e.g. `Europe/Berlin`.'),
  latitude: degrees(90, 'Degrees, north is positive. Null: not said.'),
  longitude: degrees(180, 'Degrees, east is positive. Null: not said.'),
};

const bothOrNone = {
  path: ['longitude'],
  message: 'must be sent with latitude, and be null where that is null',
};
interface Place {
  readonly latitude?: number | null | undefined;
  readonly longitude?: number | null | undefined;
}
const isWhole = ({ latitude, longitude }: Place): boolean =>
  (latitude === undefined) === (longitude === undefined) && (latitude === null) === (longitude === null);

export const newSite = z
  .strictObject({
    ...members,
    latitude: members.latitude.default(null),
    longitude: members.longitude.default(null),
  })
  .refine(isWhole, bothOrNone);

export const siteChange = z
  .strictObject({
    name: members.name.optional(),
    timeZone: members.timeZone.optional(),
    latitude: members.latitude.optional(),
    longitude: members.longitude.optional(),
  })
  .refine(isWhole, bothOrNone)
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    path: ['name'],
    message: 'must be sent, or another member: there is nothing to change',
  });

export const siteListQuery = z.strictObject({ ...pageQuery.shape });

export const siteSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the site.'),
    ...members,
    docks: z.int().describe(`How many docks are there, retired ones too; at most ${MOST_DOCKS_OF_SITE}.`),
    createdAt: z.iso.datetime().describe('When it was made. RFC 3339, UTC.'),
  })
  .describe('A site of the organisation.');
export const sitePageSchema = pageSchema(siteSchema, 'One page of sites, the newest first.');

/** To which sites a key, a member or an invitation is limited. */
export const siteIds = z
  .array(z.uuid())
  .min(1)
  .max(MOST_SITES_OF_HOLDER)
  .refine((list) => new Set(list.map((id) => id.toLowerCase())).size === list.length, 'must name each site once')
  .nullable()
  .describe('Ids of the sites to whose docks the roles are limited. Null: they hold in the whole organisation.');
export const shownSiteIds = z
  .array(z.uuid())
  .nullable()
  .describe('Ids of the sites to whose docks the roles are limited. Null: they hold in the whole organisation.');

/** `Intl` also takes offsets, as +01:00, which know no summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

import { type Principal, atSites, isAtSites, plainRole, sitesOf } from '@aerie/bus-contract';
import { type ApiDatabase, type Tx, wholeOf } from '@aerie/persistence';
import { unknownSite } from './unknown-site.js';

/** What a key, a member or an invitation is given. */
export interface Rights {
  readonly roles: readonly string[];
  /** Null: the whole organisation. */
  readonly siteIds: readonly string[] | null;
}

interface StoredRights {
  readonly roles: readonly string[];
  readonly site_ids: readonly string[] | null;
}

/** Roles as they are stored: a release that knows no sites knows none of those that are limited to sites. */
export const storedRoles = ({ roles, siteIds }: Rights): readonly string[] =>
  siteIds === null ? roles : roles.map((role) => (isAtSites(role) ? role : atSites(role)));

/** The same of a row, as people read it. */
export const shownRights = (row: StoredRights) => ({
  roles: row.roles.map(plainRole),
  // An earlier release copies roles without their sites: then they hold nowhere.
  siteIds: row.site_ids ?? (row.roles.some(isAtSites) ? [] : null),
});

/** Keeps the sites from being deleted until the end of the transaction. @throws NotFoundError where one is not there */
export async function lockSites(tx: Tx, organisationId: string, siteIds: readonly string[] | null): Promise<void> {
  if (siteIds === null) return;
  const rows = await tx.query<{ id: string }>(
    'SELECT id FROM fleet.site WHERE organisation_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR KEY SHARE',
    [organisationId, siteIds],
  );
  const index = siteIds.findIndex((id) => !rows.some((row) => row.id === id.toLowerCase()));
  if (index >= 0) throw unknownSite(`siteIds.${index}`, siteIds[index] ?? '');
}

/** Which docks a holder reaches now, asked each time that a holder is looked for: a dock that was moved counts at once. */
export async function reachOf(
  database: ApiDatabase,
  organisationId: string,
  { roles, site_ids: siteIds }: StoredRights,
): Promise<Pick<Principal, 'roles' | 'siteIds' | 'dockSns'>> {
  if (siteIds === null) return sitesOf(roles, null, null);
  // Its own rows are looked for, so nothing limits the look.
  const docks = await database.of(wholeOf(organisationId)).queryByKeys<{
    sn: string;
  }>('SELECT sn FROM fleet.dock WHERE organisation_id = $1 AND site_id = ANY($2::uuid[]) ORDER BY sn', [organisationId, siteIds]);
  return sitesOf(
    roles,
    siteIds,
    docks.map(({ sn }) => sn),
  );
}

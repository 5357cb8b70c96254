import { randomUUID } from 'node:crypto';
import { MOST_DOCKS_OF_SITE, type Principal, callerName } from '@aerie/bus-contract';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import { unknownSite } from './unknown-site.js';

export interface SiteRow {
  readonly id: string;
  readonly name: string;
  readonly time_zone: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly docks: number;
  readonly created_at: Date;
  /** `created_at` to the microsecond, for cursors. */
  readonly position: string;
}

export interface NewSite {
  readonly name: string;
  readonly timeZone: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
}
export type SiteChange = { readonly [Member in keyof NewSite]?: NewSite[Member] | undefined };

/** Of one organisation: more than a person surveys, and each has room for 200 docks. */
const MOST_SITES = 500;

const SITE = `SELECT s.id, s.name, s.time_zone, s.latitude, s.longitude, s.created_at,
    (SELECT count(*)::integer FROM fleet.dock d WHERE d.organisation_id = s.organisation_id AND d.site_id = s.id) AS docks,
    to_char(s.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
  FROM fleet.site s WHERE s.organisation_id = $1`;

/** Sites of organisations. A caller that is limited to sites sees these alone. */
export class SiteStore {
  constructor(private readonly database: ApiDatabase) {}

  /** Throws ConflictError where the name is taken, or there are too many. */
  async make(caller: Principal, site: NewSite): Promise<SiteRow> {
    const { organisationId } = caller;
    return inTransaction(this.database.of(caller), async (tx) => {
      // One by one in an organisation: two must not both be the last one that there is room for.
      await tx.run('SELECT FROM fleet.organisation WHERE id = $1 FOR NO KEY UPDATE', [organisationId]);
      const counted = await tx.one<{ count: number }>(
        'SELECT count(*)::integer AS count FROM fleet.site WHERE organisation_id = $1',
        [organisationId],
      );
      if ((counted?.count ?? 0) >= MOST_SITES) {
        const message = `the organisation has ${MOST_SITES} sites; delete some that have no docks`;
        throw new ConflictError('too_many_sites', message, { details: { most: MOST_SITES } });
      }
      const id = randomUUID();
      const { name, timeZone, latitude, longitude } = site;
      const made = await tx.run(
        `INSERT INTO fleet.site (id, organisation_id, name, time_zone, latitude, longitude, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (organisation_id, name) DO NOTHING`,
        [id, organisationId, name, timeZone, latitude, longitude, callerName(caller)],
      );
      if (made === 0) throw nameTaken(name);
      return found(await findIn(tx, organisationId, id), id);
    });
  }

  /** The newest first: one more than `limit` where there are more. */
  list(
    caller: Principal,
    { limit, after }: { limit: number; after: { createdAt: string; id: string } | null },
  ): Promise<SiteRow[]> {
    return this.database.of(caller).query<SiteRow>(
      `${SITE} AND ($2::uuid[] IS NULL OR s.id = ANY($2)) AND ($3::timestamptz IS NULL OR (s.created_at, s.id) < ($3, $4::uuid))
        ORDER BY s.created_at DESC, s.id DESC LIMIT $5`,
      [caller.organisationId, caller.siteIds, after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
  }

  async find(caller: Principal, id: string): Promise<SiteRow | undefined> {
    const [row] = await this.database
      .of(caller)
      .query<SiteRow>(`${SITE} AND s.id = $2 AND ($3::uuid[] IS NULL OR s.id = ANY($3))`, [
        ...[caller.organisationId, id, caller.siteIds],
      ]);
    return row;
  }

  /** Null: there is none. Throws ConflictError where the name is taken. */
  async change(caller: Principal, id: string, change: SiteChange): Promise<SiteRow | null> {
    const { organisationId } = caller;
    return inTransaction(this.database.of(caller), async (tx) => {
      const { name = null, timeZone = null, latitude, longitude } = change;
      // Also held by who makes one: of two that want the same name, one is told so.
      await tx.run('SELECT FROM fleet.organisation WHERE id = $1 FOR NO KEY UPDATE', [organisationId]);
      const taken = await tx.one('SELECT 1 FROM fleet.site WHERE organisation_id = $1 AND name = $2 AND id <> $3', [
        ...[organisationId, name, id],
      ]);
      if (name !== null && taken !== undefined) throw nameTaken(name);
      await tx.run(
        `UPDATE fleet.site SET name = coalesce($3, name), time_zone = coalesce($4, time_zone),
                latitude = CASE WHEN $5 THEN $6 ELSE latitude END, longitude = CASE WHEN $5 THEN $7 ELSE longitude END
          WHERE organisation_id = $1 AND id = $2`,
        [organisationId, id, name, timeZone, latitude !== undefined, latitude ?? null, longitude ?? null],
      );
      return (await findIn(tx, organisationId, id)) ?? null;
    });
  }

  /** Null: there is none. Throws ConflictError while docks are there, or somebody is limited to it. */
  async remove(caller: Principal, id: string): Promise<SiteRow | null> {
    const { organisationId } = caller;
    return inTransaction(this.database.of(caller), async (tx) => {
      // Whoever refers to it holds its key.
      await tx.run('SELECT FROM fleet.site WHERE organisation_id = $1 AND id = $2 FOR UPDATE', [organisationId, id]);
      const row = await findIn(tx, organisationId, id);
      if (row === undefined) return null;
      if (row.docks > 0) throw hasDocks(row);
      const holders = await tx.one<Holders>(HOLDERS, [organisationId, id]);
      if (holders !== undefined && Object.values(holders).some((count) => count > 0)) throw hasHolders(row, holders);
      await tx.run('DELETE FROM fleet.site WHERE organisation_id = $1 AND id = $2', [organisationId, id]);
      return row;
    });
  }
}

/** Makes room for one more dock at the site, until the end of the transaction. Throws where there is no site, or no room. */
export async function enterSite(tx: Tx, organisationId: string, siteId: string, dockSn: string): Promise<void> {
  // Docks of one site come one by one, and it is not deleted meanwhile.
  const site = await tx.one('SELECT 1 FROM fleet.site WHERE organisation_id = $1 AND id = $2 FOR NO KEY UPDATE', [
    ...[organisationId, siteId],
  ]);
  if (site === undefined) throw unknownSite('siteId', siteId);
  const others = await tx.one<{ count: number }>(
    `SELECT count(*)::integer AS count FROM fleet.dock WHERE organisation_id = $1 AND site_id = $2 AND sn <> $3`,
    [organisationId, siteId, dockSn],
  );
  if ((others?.count ?? 0) < MOST_DOCKS_OF_SITE) return;
  const message = `has ${MOST_DOCKS_OF_SITE} docks, which is the most; choose another site, or make one`;
  throw new ConflictError('site_is_full', `failed to put ${dockSn} at the site`, {
    fields: [{ field: 'siteId', message }],
    details: { most: MOST_DOCKS_OF_SITE },
  });
}

const findIn = (tx: Tx, organisationId: string, id: string): Promise<SiteRow | undefined> =>
  tx.one<SiteRow>(`${SITE} AND s.id = $2`, [organisationId, id]);

function found(row: SiteRow | undefined, id: string): SiteRow {
  if (row === undefined) throw new Error(`the site ${id}, which was just made, is not there`);
  return row;
}

interface Holders {
  readonly keys: number;
  readonly members: number;
  readonly invitations: number;
}

/** Those that are valid: what has ended is never valid again. */
const HOLDERS = `
  SELECT (SELECT count(*)::integer FROM fleet.api_key WHERE organisation_id = $1 AND $2::uuid = ANY (site_ids)
             AND (revoked_at IS NULL OR revoked_at > clock_timestamp())
             AND (expires_at IS NULL OR expires_at > clock_timestamp())) AS keys,
         (SELECT count(*)::integer FROM fleet.member WHERE organisation_id = $1 AND $2::uuid = ANY (site_ids)) AS members,
         (SELECT count(*)::integer FROM fleet.invitation WHERE organisation_id = $1 AND $2::uuid = ANY (site_ids)
             AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()) AS invitations`;

function nameTaken(name: string): ConflictError {
  const message = `a site of this organisation is called ${name} already`;
  return new ConflictError('site_exists', message, { fields: [{ field: 'name', message }] });
}

function hasDocks({ id, docks }: SiteRow): ConflictError {
  const message = `${docks} docks are at this site, retired ones too; PATCH /api/v1/docks/{sn} {"siteId": null} takes one away, GET /api/v1/docks?siteId=${id} lists them`;
  return new ConflictError('site_has_docks', message, { fields: [{ field: 'id', message }], details: { docks } });
}

function hasHolders(_site: SiteRow, { keys, members, invitations }: Holders): ConflictError {
  const message =
    `${keys} keys, ${members} members and ${invitations} open invitations are limited to this site; ` +
    'revoke or change them first';
  return new ConflictError('site_has_holders', message, {
    fields: [{ field: 'id', message }],
    details: { keys, members, invitations },
  });
}

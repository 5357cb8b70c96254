import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { type Principal, ROLES, type Role, callerName } from '@aerie/bus-contract';
import { ConflictError, InvalidError, isUuid } from '@aerie/kernel';
import { type Databases, type OrganisationRows, type Tx, inTransaction } from '@aerie/persistence';
import { lockSites, reachOf, storedRoles } from '../sites/holders.js';
import { BY_KEY } from '../finders.js';

/** `aerie_<id>_<secret>`: the id finds the row, the whole text is hashed. The prefix lets leak scanners find it. */
const PREFIX = 'aerie';
/** Revoked everywhere after this: so long others believe what they were told of a key. */
const BELIEVED_MS = 60_000;
/** Keys that are valid at the same time: a list that nobody can survey hides the one that was stolen. */
const MOST_VALID = 500;
/** Keys that were made with keys, or replaced: a key that is rotated each week for years is found through all of them. */
const MOST_GENERATIONS = 1_000;

/** What a key is given when it is made. */
export interface NewKey {
  readonly name: string;
  readonly roles: readonly Role[];
  /** Null: the whole organisation. */
  readonly siteIds: readonly string[] | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** Addresses and networks, as `192.0.2.7` or `2001:db8::/32`. Null: from everywhere. */
  readonly addresses: readonly string[] | null;
}

export interface KeyRow {
  readonly id: string;
  readonly name: string;
  /** Null: made by a release before 0.3.0, in which each key may do everything. */
  readonly roles: readonly string[] | null;
  readonly site_ids: readonly string[] | null;
  readonly expires_at: Date | null;
  readonly addresses: readonly string[] | null;
  readonly last_used_at: Date | null;
  readonly created_at: Date;
  readonly created_by: string | null;
  /** In the future: it was replaced, and goes on being valid until then. */
  readonly revoked_at: Date | null;
  readonly revoked_by: string | null;
  readonly replaces: string | null;
  /** `created_at` to the microsecond, for cursors. */
  readonly position: string;
  readonly valid: boolean;
}

/** Who holds a key, and how long that may be believed. */
export interface Holder {
  readonly principal: Principal;
  readonly validForMs: number;
}

export interface MadeKey {
  /** Shown this one time. */
  readonly key: string;
  readonly row: KeyRow;
}

const COLUMNS = `id, name, roles, site_ids, expires_at, addresses::text[] AS addresses, last_used_at, created_at, created_by, revoked_at,
  revoked_by, replaces,
  to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position,
  (revoked_at IS NULL OR revoked_at > clock_timestamp())
    AND (expires_at IS NULL OR expires_at > clock_timestamp()) AS valid`;

/** API keys. A key is shown once, when it is made; only its hash is kept. */
export class ApiKeyStore {
  constructor(private readonly databases: Databases) {}

  /** A key of the first organisation with all roles, for who runs this installation. */
  async create(name: string, replace: boolean, wish: Partial<Omit<NewKey, 'name'>> = {}): Promise<string> {
    const [organisation] = await this.databases.engine.query<{ id: string }[]>(
      'SELECT id FROM fleet.organisation ORDER BY created_at LIMIT 1',
    );
    if (organisation === undefined) throw new Error('there is no organisation');
    return inTransaction(this.databases.api.of(organisation.id), async (tx) => {
      if (replace) {
        await tx.run(
          `UPDATE fleet.api_key SET revoked_at = clock_timestamp(), revoked_by = 'command'
            WHERE organisation_id = $1 AND name = $2 AND (revoked_at IS NULL OR revoked_at > clock_timestamp())`,
          [organisation.id, name],
        );
      }
      const wanted = { name, roles: ROLES, siteIds: null, expiresAt: null, addresses: null, ...wish };
      return (await insert(tx, organisation.id, wanted, 'command', null)).key;
    });
  }

  /** A key of this organisation. Throws InvalidError, or ConflictError where it has too many. */
  async make(caller: Principal, wanted: NewKey): Promise<MadeKey> {
    const { organisationId } = caller;
    return inTransaction(this.databases.api.of(organisationId), async (tx) => {
      await refuseHostBits(tx, wanted.addresses ?? []);
      await refuseTooMany(tx, organisationId);
      await lockSites(tx, organisationId, wanted.siteIds);
      return insert(tx, organisationId, wanted, callerName(caller), null);
    });
  }

  /** The keys of an organisation, the newest first: one more than `limit` where there are more. */
  async list(
    organisationId: string,
    { limit, after, valid }: { limit: number; after: { createdAt: string; id: string } | null; valid: boolean | null },
  ): Promise<KeyRow[]> {
    return this.databases.api.of(organisationId).query<KeyRow>(
      `SELECT * FROM (SELECT ${COLUMNS} FROM fleet.api_key
                       WHERE organisation_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))) AS k
        WHERE $4::boolean IS NULL OR valid = $4
        ORDER BY position DESC, id DESC LIMIT $5`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, valid, limit + 1],
    );
  }

  async find(organisationId: string, id: string): Promise<KeyRow | undefined> {
    const [row] = await this.databases.api
      .of(organisationId)
      .query<KeyRow>(`SELECT ${COLUMNS} FROM fleet.api_key WHERE organisation_id = $1 AND id = $2`, [
        organisationId,
        id,
      ]);
    return row;
  }

  /**
   * Ids of the people behind keys of an organisation. A key that is not there is not in the answer, nor is one of more generations
   * than are looked at: who is behind it is not known.
   */
  async makers(organisationId: string, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.databases.api.of(organisationId).query<{ id: string; person_ids: readonly string[] }>(
      `WITH RECURSIVE behind AS (
         SELECT k.id AS key_id, k.id, k.created_by, k.replaces, 1 AS depth FROM fleet.api_key k
          WHERE k.organisation_id = $1 AND k.id = ANY($2::uuid[])
         UNION
         SELECT b.key_id, k.id, k.created_by, k.replaces, b.depth + 1
           FROM behind b JOIN fleet.api_key k
             ON k.organisation_id = $1 AND k.id = ANY(ARRAY[b.replaces,
                  CASE WHEN b.created_by ~ '^key:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN substr(b.created_by, 5)::uuid END])
          WHERE b.depth < $3)
       SELECT key_id AS id,
              coalesce(array_agg(DISTINCT substr(created_by, length('person:') + 1))
                         FILTER (WHERE created_by LIKE 'person:%'), '{}') AS person_ids
         FROM behind GROUP BY key_id HAVING max(depth) < $3`,
      [organisationId, ids.filter(isUuid), MOST_GENERATIONS],
    );
    return new Map(rows.map(({ id, person_ids }) => [id, person_ids]));
  }

  /** Ends a key now; null: there is none. One that has ended stays as it was. */
  async revoke(caller: Principal, id: string): Promise<KeyRow | null> {
    const { organisationId } = caller;
    return inTransaction(this.databases.api.of(organisationId), async (tx) => {
      await tx.run(
        `UPDATE fleet.api_key SET revoked_at = clock_timestamp(), revoked_by = $3
          WHERE organisation_id = $1 AND id = $2 AND (revoked_at IS NULL OR revoked_at > clock_timestamp())`,
        [organisationId, id, callerName(caller)],
      );
      return (await findIn(tx, organisationId, id)) ?? null;
    });
  }

  /**
   * A new key in the place of another one, with the same name, roles and addresses; the old one ends after `keepMs`. Null:
   * there is none. Throws ConflictError where it has ended.
   */
  async rotate(
    caller: Principal,
    id: string,
    { keepMs, expiresAt }: { keepMs: number; expiresAt: Date | null },
  ): Promise<MadeKey | null> {
    const { organisationId } = caller;
    return inTransaction(this.databases.api.of(organisationId), async (tx) => {
      await tx.run('SELECT FROM fleet.api_key WHERE organisation_id = $1 AND id = $2 FOR NO KEY UPDATE', [
        organisationId,
        id,
      ]);
      const old = await findIn(tx, organisationId, id);
      if (old === undefined) return null;
      if (!old.valid || old.revoked_at !== null) throw notRotated(old);
      await refuseTooMany(tx, organisationId);
      // An earlier release, which may still run in an upgrade, takes any end for one that has come: it refuses too early.
      await tx.run(
        `UPDATE fleet.api_key SET revoked_at = clock_timestamp() + $3 * interval '1 millisecond', revoked_by = $4
          WHERE organisation_id = $1 AND id = $2`,
        [organisationId, id, keepMs, callerName(caller)],
      );
      const { name, roles, site_ids: siteIds, addresses } = old;
      const wanted = { name, roles: roles ?? ROLES, siteIds, addresses, expiresAt };
      return insert(tx, organisationId, wanted, callerName(caller), id);
    });
  }

  /**
   * Who holds the key, or null: it is not known, no longer valid, or not valid from this address. Takes as long for a wrong
   * secret as for a right one.
   */
  async verify(key: string, address: string): Promise<Holder | null> {
    const [prefix, id] = key.split('_');
    if (prefix !== PREFIX || id === undefined || !isUuid(id)) return null;
    const own = this.databases.api.ofWhom(BY_KEY, id);
    const [row] = await own.query<FoundKey>(
      `SELECT organisation_id, secret_hash, roles, site_ids,
              addresses IS NULL OR coalesce($2::inet <<= ANY (addresses), false) AS from_here,
              least(expires_at, revoked_at) AS ends_at,
              extract(epoch FROM least(expires_at, revoked_at) - clock_timestamp()) * 1000 AS ends_in_ms,
              last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute' AS unnoted
         FROM fleet.api_key WHERE id = $1`,
      [id, inetOf(address)],
    );
    if (row === undefined || !isHashOf(key, row.secret_hash) || !row.from_here) return null;
    const endsInMs = row.ends_at === null ? BELIEVED_MS : Number(row.ends_in_ms);
    if (endsInMs <= 0) return null;
    if (row.unnoted) await noteUse(own, id);
    const { organisation_id: organisationId, site_ids } = row;
    const reach = await reachOf(this.databases.api, organisationId, { roles: row.roles ?? ROLES, site_ids });
    const principal = { keyId: id, organisationId, ...reach };
    return { principal, validForMs: Math.min(endsInMs, BELIEVED_MS) };
  }
}

/** One of those who note it at the same time is enough. */
async function noteUse(own: OrganisationRows, id: string): Promise<void> {
  await own.run(
    `UPDATE fleet.api_key SET last_used_at = clock_timestamp()
      WHERE id = (SELECT id FROM fleet.api_key
                   WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
                     FOR NO KEY UPDATE SKIP LOCKED)`,
    [id],
  );
}

interface FoundKey {
  readonly organisation_id: string;
  readonly secret_hash: Buffer;
  readonly roles: readonly string[] | null;
  readonly site_ids: readonly string[] | null;
  readonly from_here: boolean;
  readonly ends_at: Date | null;
  readonly ends_in_ms: string | null;
  readonly unnoted: boolean;
}

async function insert(
  tx: Tx,
  organisationId: string,
  { name, roles, siteIds, expiresAt, addresses }: Omit<NewKey, 'roles'> & { readonly roles: readonly string[] },
  createdBy: string,
  replaces: string | null,
): Promise<MadeKey> {
  const id = randomUUID();
  const key = `${PREFIX}_${id}_${randomBytes(32).toString('base64url')}`;
  const mayDoAll =
    siteIds === null && expiresAt === null && addresses === null && ROLES.every((role) => roles.includes(role));
  await tx.run(
    `INSERT INTO fleet.api_key (id, organisation_id, name, secret_hash, roles, expires_at, addresses, created_by, replaces,
       site_ids)
     VALUES ($1, $2, $3, $4, $5, $6, $7::text[]::cidr[], $8, $9, $10::uuid[])`,
    [
      id,
      organisationId,
      name,
      (mayDoAll ? hashOf : limitedHashOf)(key),
      storedRoles({ roles, siteIds }),
      expiresAt,
      addresses,
      createdBy,
      replaces,
      siteIds,
    ],
  );
  const row = await findIn(tx, organisationId, id);
  if (row === undefined) throw new Error('a key that was just made is not there');
  return { key, row };
}

const findIn = (tx: Tx, organisationId: string, id: string): Promise<KeyRow | undefined> =>
  tx.one<KeyRow>(`SELECT ${COLUMNS} FROM fleet.api_key WHERE organisation_id = $1 AND id = $2`, [organisationId, id]);

async function refuseTooMany(tx: Tx, organisationId: string): Promise<void> {
  const counted = await tx.one<{ count: string }>(
    `SELECT count(*) AS count FROM fleet.api_key
      WHERE organisation_id = $1 AND (revoked_at IS NULL OR revoked_at > clock_timestamp())
        AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
    [organisationId],
  );
  if (Number(counted?.count) < MOST_VALID) return;
  const message = `the organisation has ${MOST_VALID} keys that are valid; revoke some that nobody uses`;
  throw new ConflictError('too_many_keys', message, { details: { most: MOST_VALID } });
}

/** `192.0.2.7/24` may be meant as one address or as its network: a guess would let in too many or too few. */
async function refuseHostBits(tx: Tx, addresses: readonly string[]): Promise<void> {
  const wrong = await tx.query<{ place: string; sent: string; network: string }>(
    `SELECT place - 1 AS place, sent, network(sent::inet) AS network
       FROM unnest($1::text[]) WITH ORDINALITY AS a (sent, place)
      WHERE network(sent::inet)::inet <> sent::inet ORDER BY place`,
    [addresses],
  );
  if (wrong.length === 0) return;
  const fields = wrong.map(({ place, sent, network }) => ({
    field: `addresses.${place}`,
    message: `${sent} is one address and a network at once; write ${network} for the network, or ${sent.split('/')[0]} for the address`,
  }));
  throw new InvalidError('invalid_input', 'the body is not valid', { fields });
}

function notRotated({ revoked_at }: KeyRow): ConflictError {
  const message =
    revoked_at === null
      ? 'the key has expired; make a new one'
      : 'the key was revoked or replaced before; make a new one';
  return new ConflictError('key_ended', message);
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * For a key with fewer rights than all: a release before 0.3.0, which may still run in an upgrade, knows no limits, and so
 * must not know the key.
 */
const limitedHashOf = (key: string): Buffer => createHash('sha256').update(`aerie limited key\n${key}`).digest();

/** Both are looked at each time, so that the time tells nothing. */
function isHashOf(key: string, stored: Buffer): boolean {
  const [full, limited] = [timingSafeEqual(stored, hashOf(key)), timingSafeEqual(stored, limitedHashOf(key))];
  return full || limited;
}

/** As PostgreSQL reads it: a server that listens on both families names an IPv4 client `::ffff:192.0.2.7`. Null: none. */
function inetOf(address: string): string | null {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return isIP(plain) === 0 || plain.includes('%') ? null : plain;
}

import type { Principal } from '@aerie/bus-contract';
import {
  type ApiDatabase,
  type OrganisationRows,
  type Prune,
  type Tx,
  inTransaction,
  pruneOldRows,
} from '@aerie/persistence';
import type { Holder } from '../api-keys/api-key.store.js';
import { BY_SESSION } from '../finders.js';
import { idOfToken, isHashOf, makeToken } from '../people/tokens.js';

/** Ended everywhere after this: so long others believe what they were told of a token. */
const BELIEVED_MS = 60_000;
/** Of one person; a further one ends the oldest, so that nobody is locked out by sessions that were forgotten. */
const MOST_VALID = 20;
/** So long an ended session can be looked up in the database. */
const KEPT_DAYS = 30;

export interface SessionLimits {
  /** After this a session ends, however much it is used. */
  readonly lifetimeMs: number;
  /** After this without a request it ends, too. */
  readonly idleMs: number;
}

export interface SessionRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly organisation: string;
  readonly address: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly ends_at: Date;
}

export interface MadeSession {
  /** Shown this one time. */
  readonly token: string;
  readonly row: SessionRow;
}

const COLUMNS = `s.id, s.organisation_id, o.name AS organisation, s.address, s.created_at, s.last_used_at, s.ends_at`;

/** Sessions of people. A token is shown once, when somebody signs in; only its hash is kept. */
export class SessionStore {
  /** Of a session that is valid; `$1` is for how long it may be idle, milliseconds. */
  private readonly valid = `s.ended_at IS NULL AND s.ends_at > clock_timestamp()
    AND s.last_used_at > clock_timestamp() - $1 * interval '1 millisecond'`;

  constructor(
    private readonly database: ApiDatabase,
    private readonly limits: SessionLimits,
  ) {}

  /**
   * A session of a member whose password was right. Null: since then the password was changed or the member removed, and the
   * session would outlive those that the change has ended.
   */
  async begin(
    organisationId: string,
    { id: personId, passwordHash }: { readonly id: string; readonly passwordHash: string },
    address: string,
  ): Promise<MadeSession | null> {
    const { id, token, hash } = makeToken('aeries');
    const row = await inTransaction(this.database.ofPerson(personId), async (tx) => {
      const same = await tx.query('SELECT FROM fleet.person WHERE id = $1 AND password_hash = $2 FOR NO KEY UPDATE', [
        ...[personId, passwordHash],
      ]);
      if (same.length === 0) return null;
      // After the lock above, which a removal takes too: a statement before it might still see the member.
      const member = await tx.query(
        'SELECT FROM fleet.member WHERE organisation_id = $1 AND person_id = $2 FOR KEY SHARE',
        [organisationId, personId],
      );
      if (member.length === 0) return null;
      await tx.run(
        `UPDATE fleet.session SET ended_at = clock_timestamp() WHERE id IN (
           SELECT s.id FROM fleet.session s WHERE s.person_id = $2 AND ${this.valid}
            ORDER BY s.last_used_at DESC OFFSET $3)`,
        [this.limits.idleMs, personId, MOST_VALID - 1],
      );
      await tx.run(
        `INSERT INTO fleet.session (id, organisation_id, person_id, secret_hash, address, ends_at)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond')`,
        [id, organisationId, personId, hash, address, this.limits.lifetimeMs],
      );
      return findIn(tx, id);
    });
    if (row === null) return null;
    if (row === undefined) throw new Error('a session that was just begun is not there');
    return { token, row };
  }

  /** The valid sessions of a person, in whatever organisation, the newest first. */
  async list(personId: string): Promise<SessionRow[]> {
    return this.database.ofPerson(personId).query<SessionRow>(
      `SELECT ${COLUMNS} FROM fleet.session s JOIN fleet.organisation o ON o.id = s.organisation_id
        WHERE s.person_id = $2 AND ${this.valid} ORDER BY s.created_at DESC, s.id`,
      [this.limits.idleMs, personId],
    );
  }

  /** Ends a session of this person; null: it has none of that id that is valid. */
  async end(personId: string, id: string): Promise<SessionRow | null> {
    return inTransaction(this.database.ofPerson(personId), async (tx) => {
      const ended = await tx.run(
        `UPDATE fleet.session s SET ended_at = clock_timestamp() WHERE s.id = $2 AND s.person_id = $3 AND ${this.valid}`,
        [this.limits.idleMs, id, personId],
      );
      return ended === 0 ? null : ((await findIn(tx, id)) ?? null);
    });
  }

  /** Whose session it is, or null. The roles are those that the member has now. */
  async verify(token: string): Promise<Holder | null> {
    const id = idOfToken('aeries', token);
    if (id === null) return null;
    const own = this.database.ofWhom(BY_SESSION, id);
    const [row] = await own.query<FoundSession>(
      `SELECT s.organisation_id, s.person_id, s.secret_hash, m.roles,
              extract(epoch FROM least(s.ends_at, s.last_used_at + $1 * interval '1 millisecond') - clock_timestamp()) * 1000
                AS ends_in_ms,
              s.last_used_at < clock_timestamp() - interval '1 minute' AS unnoted
         FROM fleet.session s JOIN fleet.member m USING (organisation_id, person_id)
        WHERE s.id = $2 AND ${this.valid}`,
      [this.limits.idleMs, id],
    );
    if (row === undefined || !isHashOf(token, row.secret_hash)) return null;
    const endsInMs = Number(row.ends_in_ms);
    if (endsInMs <= 0) return null;
    if (row.unnoted) await noteUse(own, id);
    const principal: Principal = {
      ...{ keyId: id, personId: row.person_id, organisationId: row.organisation_id, roles: row.roles },
    };
    return { principal, validForMs: Math.min(endsInMs, BELIEVED_MS) };
  }
}

/** One of those who note it at the same time is enough. */
async function noteUse(own: OrganisationRows, id: string): Promise<void> {
  await own.run(
    `UPDATE fleet.session SET last_used_at = clock_timestamp()
      WHERE id = (SELECT id FROM fleet.session WHERE id = $1 AND last_used_at < clock_timestamp() - interval '1 minute'
                     FOR NO KEY UPDATE SKIP LOCKED)`,
    [id],
  );
}

interface FoundSession {
  readonly organisation_id: string;
  readonly person_id: string;
  readonly secret_hash: Buffer;
  readonly roles: readonly string[];
  readonly ends_in_ms: string;
  readonly unnoted: boolean;
}

/** Ends all sessions of a person but one, and says how many. */
export const endOtherSessions = (tx: Tx, personId: string, exceptId: string): Promise<number> =>
  tx.run(
    `UPDATE fleet.session SET ended_at = clock_timestamp()
      WHERE person_id = $1 AND id <> $2 AND ended_at IS NULL AND ends_at > clock_timestamp()`,
    [personId, exceptId],
  );

export const sessionPrune = (): Prune => pruneOldRows({ table: 'fleet.session', at: 'ends_at', days: KEPT_DAYS });

const findIn = (tx: Tx, id: string): Promise<SessionRow | undefined> =>
  tx.one<SessionRow>(
    `SELECT ${COLUMNS} FROM fleet.session s JOIN fleet.organisation o ON o.id = s.organisation_id WHERE s.id = $1`,
    [id],
  );

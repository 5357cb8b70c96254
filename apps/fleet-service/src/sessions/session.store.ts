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
import { notePasskeyUse } from '../passkeys/passkey-rows.js';
import { providerLock } from '../providers/provider.store.js';
import { reachOf } from '../sites/holders.js';
import { idOfToken, isHashOf, makeToken } from '../people/tokens.js';

/** Ended everywhere after this: so long others believe what they were told of a token. */
const BELIEVED_MS = 60_000;
/** Of one person, by password and by each provider; another one ends the one unused for longest, so that forgotten sessions lock nobody out. */
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

/** Proof of who the person is. */
export type Proof =
  /** Hash of the password that was verified. */
  | { readonly id: string; readonly passwordHash: string }
  /** Provider that identified the person. */
  | { readonly id: string; readonly providerId: string }
  /** Passkey whose signature was verified, and the count of its authenticator. */
  | { readonly id: string; readonly passkeyId: string; readonly signCount: number };

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
   * A new session of a member. Null: the password was changed, or the provider, the passkey or the member removed, since the
   * proof was verified; the session would survive the change that ended all others.
   */
  async begin(organisationId: string, proof: Proof, address: string): Promise<MadeSession | null> {
    const personId = proof.id;
    const providerId = 'providerId' in proof ? proof.providerId : null;
    const { id, token, hash } = makeToken('aeries');
    const row = await inTransaction(this.database.ofPerson(personId), async (tx) => {
      if (!(await isProofValid(tx, proof))) return null;
      // After the lock above, which a removal takes too: a statement before it might still see the member.
      const member = await tx.query(
        'SELECT FROM fleet.member WHERE organisation_id = $1 AND person_id = $2 FOR KEY SHARE',
        [organisationId, personId],
      );
      if (member.length === 0) return null;
      await tx.run(
        `UPDATE fleet.session SET ended_at = clock_timestamp() WHERE id IN (
           SELECT s.id FROM fleet.session s
            WHERE s.person_id = $2 AND s.provider_id IS NOT DISTINCT FROM $4 AND ${this.valid}
            ORDER BY s.last_used_at DESC OFFSET $3)`,
        [this.limits.idleMs, personId, MOST_VALID - 1, providerId],
      );
      await tx.run(
        `INSERT INTO fleet.session (id, organisation_id, person_id, secret_hash, address, provider_id, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 millisecond')`,
        [id, organisationId, personId, hash, address, providerId, this.limits.lifetimeMs],
      );
      return findIn(tx, id);
    });
    if (row === null) return null;
    if (row === undefined) throw new Error('a session that was just begun is not there');
    return { token, row };
  }

  /** Valid sessions of a person that the session `bySession` may see, the newest first. */
  async list(personId: string, bySession: string): Promise<SessionRow[]> {
    return this.database.ofPerson(personId).query<SessionRow>(
      `SELECT ${COLUMNS} FROM fleet.session s JOIN fleet.organisation o ON o.id = s.organisation_id
        WHERE s.person_id = $2 AND ${this.valid} AND ${visibleTo('$3')} ORDER BY s.created_at DESC, s.id`,
      [this.limits.idleMs, personId, bySession],
    );
  }

  /** Ends a session of the person; null: no valid one of that id that the session `bySession` may see. */
  async end(personId: string, id: string, bySession: string): Promise<SessionRow | null> {
    return inTransaction(this.database.ofPerson(personId), async (tx) => {
      const ended = await tx.run(
        `UPDATE fleet.session s SET ended_at = clock_timestamp()
          WHERE s.id = $2 AND s.person_id = $3 AND ${this.valid} AND ${visibleTo('$4')}`,
        [this.limits.idleMs, id, personId, bySession],
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
      `SELECT s.organisation_id, s.person_id, s.secret_hash, m.roles, m.site_ids,
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
    const { organisation_id: organisationId, person_id: personId } = row;
    const principal: Principal = {
      ...{ keyId: id, personId, organisationId },
      ...(await reachOf(this.database, organisationId, row)),
    };
    return { principal, validForMs: Math.min(endsInMs, BELIEVED_MS) };
  }
}

/**
 * Sessions of the person that the session `bySession` may see: a password session all of them; a session of a provider those
 * of its organisation, because the provider of one organisation must not reach another organisation.
 */
const visibleTo = (bySession: string): string =>
  `EXISTS (SELECT FROM fleet.session b WHERE b.id = ${bySession}::uuid AND b.person_id = s.person_id
             AND (b.provider_id IS NULL OR b.organisation_id = s.organisation_id))`;

/** Takes the locks that a change of the password and the removal of the provider or the passkey take. */
async function isProofValid(tx: Tx, proof: Proof): Promise<boolean> {
  if ('passwordHash' in proof) {
    const same = await tx.query('SELECT FROM fleet.person WHERE id = $1 AND password_hash = $2 FOR NO KEY UPDATE', [
      ...[proof.id, proof.passwordHash],
    ]);
    return same.length > 0;
  }
  if ('passkeyId' in proof) {
    await tx.run('SELECT FROM fleet.person WHERE id = $1 FOR NO KEY UPDATE', [proof.id]);
    return notePasskeyUse(tx, proof.passkeyId, proof.signCount);
  }
  await tx.run('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [providerLock(proof.providerId)]);
  await tx.run('SELECT FROM fleet.person WHERE id = $1 FOR NO KEY UPDATE', [proof.id]);
  const linked = await tx.query('SELECT FROM fleet.identity WHERE provider_id = $1 AND person_id = $2', [
    ...[proof.providerId, proof.id],
  ]);
  return linked.length > 0;
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
  readonly site_ids: readonly string[] | null;
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

import { randomUUID } from 'node:crypto';
import { ConflictError, ForbiddenError } from '@aerie/kernel';
import { type ApiDatabase, PERSON, type Tx, inTransaction } from '@aerie/persistence';
import { BY_PASSKEY } from '../finders.js';
import { endOtherSessions } from '../sessions/session.store.js';

/** Of one person. More are forgotten ones. */
const MOST_PASSKEYS = 20;

export interface PasskeyRow {
  readonly id: string;
  readonly person_id: string;
  /** Base64url, as the authenticator gave it. */
  readonly credential_id: string;
  /** COSE. */
  readonly public_key: Buffer;
  readonly sign_count: string;
  readonly transports: readonly string[];
  readonly name: string;
  readonly synced: boolean;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

export type PasskeyToAdd = Pick<
  PasskeyRow,
  'person_id' | 'credential_id' | 'public_key' | 'transports' | 'name' | 'synced'
> & {
  readonly signCount: number;
};

const COLUMNS =
  'id, person_id, credential_id, public_key, sign_count, transports, name, synced, created_at, last_used_at';

/** Passkeys of people. Only public keys are kept. */
export class PasskeyStore {
  constructor(private readonly database: ApiDatabase) {}

  /** Throws ForbiddenError where the session may not. */
  async check({ personId, sessionId }: Holder): Promise<void> {
    await inTransaction(this.database.ofPerson(personId), (tx) => refuseOthers(tx, { personId, sessionId }));
  }

  list(personId: string): Promise<PasskeyRow[]> {
    return this.database
      .ofPerson(personId)
      .query<PasskeyRow>(`SELECT ${COLUMNS} FROM fleet.passkey WHERE person_id = $1 ORDER BY created_at, id`, [
        personId,
      ]);
  }

  async findByCredential(credentialId: string): Promise<PasskeyRow | null> {
    const [row] = await this.database
      .ofWhom(BY_PASSKEY, credentialId)
      .query<PasskeyRow>(`SELECT ${COLUMNS} FROM fleet.passkey WHERE credential_id = $1 AND person_id = ${PERSON}`, [
        credentialId,
      ]);
    return row ?? null;
  }

  /** Throws ConflictError where there are too many, or it is there already. */
  async add(wish: PasskeyToAdd, sessionId: string): Promise<PasskeyRow> {
    const { person_id: personId, credential_id, public_key, transports, name, signCount, synced } = wish;
    return inTransaction(this.database.ofPerson(personId), async (tx) => {
      // Two at once would both find room.
      await tx.run('SELECT FROM fleet.person WHERE id = $1 FOR NO KEY UPDATE', [personId]);
      await refuseOthers(tx, { personId, sessionId });
      const [{ count = 0 } = {}] = await tx.query<{ count: number }>(
        'SELECT count(*)::integer AS count FROM fleet.passkey WHERE person_id = $1',
        [personId],
      );
      if (count >= MOST_PASSKEYS) {
        throw new ConflictError(
          'too_many_passkeys',
          `a person has at most ${MOST_PASSKEYS} passkeys; remove some first`,
        );
      }
      const row = await tx.one<PasskeyRow>(
        `INSERT INTO fleet.passkey (id, person_id, credential_id, public_key, sign_count, transports, name, synced)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (credential_id) DO NOTHING RETURNING ${COLUMNS}`,
        [randomUUID(), personId, credential_id, public_key, signCount, transports, name, synced],
      );
      if (row === undefined) throw new ConflictError('passkey_exists', 'this passkey has been added before');
      return row;
    });
  }

  /** Ends all other sessions of the person too: whoever has the passkey may be in one. Null: the person has none of that id. */
  async remove(personId: string, id: string, bySession: string): Promise<RemovedPasskey | null> {
    return inTransaction(this.database.ofPerson(personId), async (tx) => {
      // The lock of whoever signs in: no session begins with a passkey that is being removed.
      await tx.run('SELECT FROM fleet.person WHERE id = $1 FOR NO KEY UPDATE', [personId]);
      await refuseOthers(tx, { personId, sessionId: bySession });
      const row = await tx.one<PasskeyRow>(
        `DELETE FROM fleet.passkey WHERE person_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [personId, id],
      );
      return row === undefined ? null : { row, endedSessions: await endOtherSessions(tx, personId, bySession) };
    });
  }
}

/** Whose session asks. */
export interface Holder {
  readonly personId: string;
  readonly sessionId: string;
}

/**
 * A passkey is the person's in every organisation, and the provider of one must not reach the others. A session may also have
 * ended since the request was let in.
 */
async function refuseOthers(tx: Tx, { personId, sessionId }: Holder): Promise<void> {
  const own = await tx.query(
    `SELECT FROM fleet.session WHERE id = $1 AND person_id = $2 AND provider_id IS NULL
        AND ended_at IS NULL AND ends_at > clock_timestamp()`,
    [sessionId, personId],
  );
  if (own.length > 0) return;
  const message = 'passkeys are for sessions that began with the password or a passkey, and have not ended; sign in so';
  throw new ForbiddenError('not_by_provider', message);
}

export interface RemovedPasskey {
  readonly row: PasskeyRow;
  readonly endedSessions: number;
}

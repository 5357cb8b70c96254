import type { ApiDatabase } from '@aerie/persistence';

export interface FoundCaller {
  readonly organisation: string;
  /** Both null where a key asks. */
  readonly email: string | null;
  readonly name: string | null;
}

/** Names of whoever asks. */
export class Callers {
  constructor(private readonly database: ApiDatabase) {}

  async find(organisationId: string, personId: string | null): Promise<FoundCaller> {
    const [row] = await this.database.of(organisationId).query<FoundCaller>(
      `SELECT o.name AS organisation, p.email, p.name FROM fleet.organisation o LEFT JOIN fleet.person p ON p.id = $2
        WHERE o.id = $1`,
      [organisationId, personId],
    );
    if (row === undefined) throw new Error('the organisation of a caller is not there');
    return row;
  }
}

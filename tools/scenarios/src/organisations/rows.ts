import { Client } from 'pg';
import type { Organisation, Things } from './organisation.js';

interface Table {
  readonly name: string;
  readonly hasOrganisation: boolean;
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

export const idsIn = (texts: readonly string[]): string[] => texts.flatMap((text) => text.match(UUID) ?? []);

type Whose = Pick<Organisation, 'word'> & { readonly things: Pick<Things, 'organisationId'> };

/** By table, rows as JSON in an order that does not depend on anything. */
export type RowsByTable = Readonly<Record<string, readonly string[]>>;

/** What every table of every service holds of an organisation, as PostgreSQL itself sees it. */
export class Rows {
  private constructor(
    private readonly client: Client,
    private readonly tables: readonly Table[],
  ) {}

  static async connect(connectionString: string): Promise<Rows> {
    const client = new Client({ connectionString });
    await client.connect();
    const { rows } = await client.query<Table>(
      `SELECT format('%I.%I', table_schema, table_name) AS name,
              EXISTS (SELECT FROM information_schema.columns c
                       WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name
                         AND c.column_name = 'organisation_id') AS "hasOrganisation"
         FROM information_schema.tables t
        WHERE table_type = 'BASE TABLE' AND table_schema IN ('mission', 'fleet', 'log', 'credential')
        ORDER BY 1`,
    );
    return new Rows(client, rows);
  }

  get tablesOfOrganisations(): readonly string[] {
    return this.tables.filter(({ hasOrganisation }) => hasOrganisation).map(({ name }) => name);
  }

  /**
   * Of a table without an `organisation_id`, the rows that name something of the organisation, by its word or an id. What
   * says that it belongs to the other is left out: it may repeat an id that was sent.
   */
  async of({ things: { organisationId }, word }: Whose, other: Whose): Promise<RowsByTable> {
    const found: Record<string, readonly string[]> = {};
    const [named, others] = [true, false].map((has) => this.tables.filter((table) => table.hasOrganisation === has));
    for (const { name } of named ?? []) {
      found[name] = await this.read(`${name} t WHERE organisation_id::text = $1`, [organisationId]);
    }
    // Records say what was asked for, whosever it is.
    const owning = Object.entries(found).flatMap(([name, rows]) => (name.includes('.audit_') ? [] : rows));
    const ids = new Set([organisationId, ...idsIn(owning)]);
    const isOfIt = (row: string): boolean =>
      !row.includes(other.things.organisationId) &&
      (row.toLowerCase().includes(word) || idsIn([row]).some((id) => ids.has(id)));
    for (const { name } of others ?? []) found[name] = (await this.read(`${name} t`, [])).filter(isOfIt);
    return found;
  }

  /** How many audit records are in the chains of the organisation, and how many have still to go there. */
  async recordsOf({ things: { organisationId } }: Pick<Whose, 'things'>): Promise<{ waiting: number; kept: number }> {
    const countOf = async (end: string, where: string): Promise<number> => {
      const names = this.tables.filter(({ name }) => name.endsWith(end)).map(({ name }) => name);
      return (await Promise.all(names.map((name) => this.read(`${name} t ${where}`, [organisationId])))).flat().length;
    };
    return {
      waiting: await countOf('.audit_intake', `WHERE entry->>'organisationId' = $1`),
      kept: await countOf('.audit_record', `WHERE organisation_id::text = $1`),
    };
  }

  /** Of what is about this dock and of nothing else. */
  async idsOfDock(dockSn: string): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ id: string }>(
      `SELECT id::text FROM mission.mission WHERE dock_sn = $1
       UNION SELECT c.tid::text FROM mission.dock_call c WHERE c.dock_sn = $1
       UNION SELECT id::text FROM log.upload WHERE dock_sn = $1
       UNION SELECT id::text FROM log.file WHERE dock_sn = $1
       UNION SELECT tid::text FROM log.dock_call WHERE dock_sn = $1`,
      [dockSn],
    );
    return rows.map(({ id }) => id);
  }

  private async read(from: string, values: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ row: string }>(
      `SELECT to_jsonb(t)::text AS row FROM ${from} ORDER BY 1`,
      [...values],
    );
    return rows.map(({ row }) => row);
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

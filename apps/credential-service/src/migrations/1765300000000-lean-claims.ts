import type { MigrationInterface, QueryRunner } from 'typeorm';
import { unpackReport } from '../claims/packed-report.js';

/** Additive: a replica of the previous release writes `reported` as before, and reads neither. */
export class LeanClaims1765300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- What the dock said, packed; where it is set, \`reported\` is empty.
      ALTER TABLE credential.upload_claim ADD COLUMN packed bytea;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await unpackReports(runner);
    await runner.query('ALTER TABLE credential.upload_claim DROP COLUMN packed');
  }
}

const ROWS = 1_000;

async function unpackReports(runner: QueryRunner): Promise<void> {
  interface Row {
    readonly dock_sn: string;
    readonly object_key: string;
    readonly flight_id: string | null;
    readonly packed: Buffer | null;
  }
  let last: Pick<Row, 'dock_sn' | 'object_key'> = { dock_sn: '', object_key: '' };
  for (;;) {
    const rows = (await runner.query(
      `SELECT dock_sn, object_key, flight_id, packed FROM credential.upload_claim
        WHERE (dock_sn, object_key) > ($1, $2) ORDER BY dock_sn, object_key LIMIT $3`,
      [last.dock_sn, last.object_key, ROWS],
    )) as Row[];
    const plain = rows.flatMap(({ dock_sn, object_key, flight_id: flightId, packed }) =>
      packed === null
        ? []
        : [{ dock_sn, object_key, reported: unpackReport({ objectKey: object_key, flightId }, packed) }],
    );
    await runner.query(
      `UPDATE credential.upload_claim AS c SET reported = r.reported
         FROM jsonb_to_recordset($1::jsonb) AS r (dock_sn text, object_key text, reported jsonb)
        WHERE (c.dock_sn, c.object_key) = (r.dock_sn, r.object_key)`,
      [JSON.stringify(plain)],
    );
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end;
  }
}

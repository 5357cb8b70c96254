import { fullOutbox, leanOutbox } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type FlightLiveRow, liveOf } from '../missions/store/flight-live.js';
import { unpackRules } from '../missions/store/packed-rules.js';

/**
 * Fewer bytes for each change of a mission. Additive but for indexes that no statement needs: a replica of the previous
 * release goes on, and shows no rules of a preflight that a replica of this one has judged.
 */
export class LeanRows1765300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(leanOutbox('mission'));
    await runner.query(`
      -- Entries are looked for by their mission; that index stays.
      ALTER TABLE mission.timeline DROP CONSTRAINT timeline_pkey;

      -- A new version of a row in the page of the one before costs the WAL only what has changed.
      ALTER TABLE mission.mission SET (fillfactor = 70);
      ALTER TABLE mission.idempotency_key SET (fillfactor = 70);

      -- The rules as packed JSON; where it is set, \`rules\` is empty.
      ALTER TABLE mission.preflight ADD COLUMN packed bytea;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await unpackPreflights(runner);
    await tellLives(runner);
    await runner.query(`
      ALTER TABLE mission.preflight DROP COLUMN packed;
      ALTER TABLE mission.idempotency_key RESET (fillfactor);
      ALTER TABLE mission.mission RESET (fillfactor);
      -- Writers wait while the index is made: a minute for tens of millions.
      ALTER TABLE mission.timeline ADD PRIMARY KEY (id);
    `);
    await runner.query(fullOutbox('mission'));
  }
}

const ROWS = 1_000;

/** The rules plainly again, as the previous release reads them. */
async function unpackPreflights(runner: QueryRunner): Promise<void> {
  interface Packed {
    readonly mission_id: string;
    readonly stage: string;
    readonly packed: Buffer | null;
  }
  let last: Pick<Packed, 'mission_id' | 'stage'> = { mission_id: '00000000-0000-0000-0000-000000000000', stage: '' };
  for (;;) {
    const rows = (await runner.query(
      `SELECT mission_id, stage, CASE WHEN rules = '[]' THEN packed END AS packed FROM mission.preflight
        WHERE (mission_id, stage) > ($1::uuid, $2::text) ORDER BY mission_id, stage LIMIT $3`,
      [last.mission_id, last.stage, ROWS],
    )) as Packed[];
    const plain = rows.flatMap(({ packed, ...row }) => (packed ? [{ ...row, rules: unpackRules(packed) }] : []));
    await runner.query(
      `UPDATE mission.preflight AS p SET rules = r.rules
         FROM jsonb_to_recordset($1::jsonb) AS r (mission_id uuid, stage text, rules jsonb)
        WHERE (p.mission_id, p.stage) = (r.mission_id, r.stage)`,
      [JSON.stringify(plain)],
    );
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end;
  }
}

/** Rows of flights say again what follows from the lines that have gathered in them: some hundred flights at a time. */
async function tellLives(runner: QueryRunner): Promise<void> {
  const rows = (await runner.query(
    `SELECT mission_id, attempt, heard_at, received_at, reports, recent, progress, gathered, lines
       FROM mission.flight_live WHERE gathered > 0 FOR UPDATE`,
  )) as FlightLiveRow[];
  await runner.query(
    `UPDATE mission.flight_live AS l
        SET heard_at = n.heard_at, received_at = n.received_at, reports = n.reports, progress = n.progress
       FROM jsonb_to_recordset($1::jsonb) AS n (mission_id uuid, heard_at timestamptz, received_at timestamptz,
              reports integer, progress jsonb)
      WHERE l.mission_id = n.mission_id`,
    [JSON.stringify(rows.map(liveOf))],
  );
}

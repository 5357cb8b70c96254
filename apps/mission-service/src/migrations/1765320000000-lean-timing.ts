import type { MigrationInterface, QueryRunner } from 'typeorm';
import { TIMING_OF_ROWS } from '../missions/store/timing-column.js';

/**
 * Room for new versions: a row that moves to another page is written to the WAL whole. One of the outbox changes once, when its fact
 * was published; missions that were planned together change together; what a flight reported last begins with 400 bytes, grows to 1.5 KB, and has two versions at a time. Pages
 * that are there stay as they are. From here on a mission's row has only the
 * rules of time that differ from `TIMING_OF_ROWS`, which a replica of the previous release reads as the same.
 */
export class LeanTiming1765320000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission SET (fillfactor = 50);
      ALTER TABLE mission.outbox SET (fillfactor = 50);
      ALTER TABLE mission.flight_live SET (fillfactor = 15);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await tellTiming(runner);
    await runner.query(`
      ALTER TABLE mission.flight_live SET (fillfactor = 50);
      ALTER TABLE mission.outbox SET (fillfactor = 70);
      ALTER TABLE mission.mission SET (fillfactor = 70);
    `);
  }
}

const ROWS = 1_000;

/** All rules again, which the previous release shows only where they are in the row. */
async function tellTiming(runner: QueryRunner): Promise<void> {
  let last: string | undefined = '00000000-0000-0000-0000-000000000000';
  while (last !== undefined) {
    const [row] = (await runner.query(
      `WITH page AS (SELECT id, timing FROM mission.mission WHERE id > $1::uuid ORDER BY id LIMIT $3),
            told AS (
              UPDATE mission.mission AS m SET timing = $2::jsonb || m.timing
                FROM page p
               WHERE m.id = p.id AND p.timing <> '{}' AND NOT p.timing ?& ARRAY(SELECT jsonb_object_keys($2::jsonb)))
       SELECT max(id::text) AS last FROM page`,
      [last, JSON.stringify(TIMING_OF_ROWS), ROWS],
    )) as { last: string | null }[];
    last = row?.last ?? undefined;
  }
}

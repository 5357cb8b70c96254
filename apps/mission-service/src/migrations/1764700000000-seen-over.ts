import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What looks at a silent flight have shown, and whether a dock contradicts the end that they proved. */
export class SeenOver1764700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission
        ADD COLUMN flown_at timestamptz,
        ADD COLUMN resting_since timestamptz,
        ADD COLUMN contradicted_at timestamptz`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission
        DROP COLUMN flown_at,
        DROP COLUMN resting_since,
        DROP COLUMN contradicted_at`);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whether a start was handed to the ingress. A person's stop withdraws one that still waits. Additive: a replica of the
 * previous release leaves it null, and nobody withdraws such a start. Not valid: to look at the rows that are there, all
 * of them null, would lock out each claim for as long as it takes to read the table.
 */
export class WithdrawnStarts1764850000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.dock_call ADD COLUMN hand_state text,
        ADD CONSTRAINT dock_call_hand_state_check CHECK (hand_state IN ('waiting', 'handed', 'withdrawn')) NOT VALID;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mission.dock_call DROP COLUMN hand_state;');
  }
}

import { replaceIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The index for lists by state leaves out the states through which a mission passes in a minute, or in which it flies. It had an entry of
 * 112 bytes for each change of a mission, of which the index for docks that are busy has one as well. A replica of the previous
 * release that is asked for one of those states, or for some of both, reads the missions of the organisation, newest first. Nobody
 * waits while the index is made; its way back keeps writers waiting, seconds for millions.
 */
export class StatesOfRest1765330000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await replaceIndex(runner, {
      schema: 'mission',
      name: 'mission_list_of_state',
      on: `mission (organisation_id, state, created_at DESC, id DESC)
        WHERE state NOT IN ('preparing', 'prepared', 'starting', 'executing', 'paused')`,
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.mission_list_of_state;
      CREATE INDEX mission_list_of_state ON mission.mission (organisation_id, state, created_at DESC, id DESC);
    `);
  }
}

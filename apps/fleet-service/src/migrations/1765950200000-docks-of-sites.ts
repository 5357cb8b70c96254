import { makeIndex, validateConstraint } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Docks are found by their site, for each look at who holds a limited key; rows that were there are looked at while everybody goes on. */
export class DocksOfSites1765950200000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    const on = 'dock (organisation_id, site_id, sn) WHERE site_id IS NOT NULL';
    await makeIndex(runner, { schema: 'fleet', name: 'dock_of_site', on });
    await validateConstraint(runner, 'fleet.dock', 'dock_site');
    for (const table of ['api_key', 'member', 'invitation']) {
      await validateConstraint(runner, `fleet.${table}`, `${table}_sites`);
    }
  }

  /** The migration before takes the constraints away with their columns. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX fleet.dock_of_site');
  }
}

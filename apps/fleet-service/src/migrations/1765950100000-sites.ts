import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sites, the docks that are there, and holders of rights that are limited to sites. The roles of such a holder end in `@sites`,
 * so a replica of the release before, which knows neither, permits it nothing.
 */
export class Sites1765950100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.site (
        id              uuid             PRIMARY KEY,
        organisation_id uuid             NOT NULL REFERENCES fleet.organisation (id),
        name            text             NOT NULL,
        -- As IANA names it.
        time_zone       text             NOT NULL,
        latitude        double precision CHECK (latitude BETWEEN -90 AND 90),
        longitude       double precision CHECK (longitude BETWEEN -180 AND 180),
        created_at      timestamptz      NOT NULL DEFAULT clock_timestamp(),
        created_by      text             NOT NULL,
        CHECK ((latitude IS NULL) = (longitude IS NULL)),
        UNIQUE (organisation_id, name),
        -- For what refers to a site of its own organisation.
        UNIQUE (organisation_id, id)
      );

      ALTER TABLE fleet.dock ADD COLUMN site_id uuid;
      ALTER TABLE fleet.dock ADD CONSTRAINT dock_site
        FOREIGN KEY (organisation_id, site_id) REFERENCES fleet.site (organisation_id, id) NOT VALID;

      -- Null: the whole organisation. No array of keys can be a reference: a site is deleted only while no valid holder has it.
      ALTER TABLE fleet.api_key ADD COLUMN site_ids uuid[];
      ALTER TABLE fleet.member ADD COLUMN site_ids uuid[];
      ALTER TABLE fleet.invitation ADD COLUMN site_ids uuid[];
    `);
    for (const table of ['api_key', 'member', 'invitation']) {
      // Also for a replica that knows no sites: it cannot give a limited holder roles for the whole organisation.
      await runner.query(`
        ALTER TABLE fleet.${table} ADD CONSTRAINT ${table}_sites CHECK (site_ids IS NULL OR (
          cardinality(site_ids) > 0 AND roles IS NOT NULL
          AND NOT roles && ARRAY['viewer', 'planner', 'pilot', 'fleet_admin', 'org_admin', 'auditor'])) NOT VALID`);
    }
  }

  /** Limited keys and members keep roles that no earlier release knows: these permit nothing. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.api_key DROP COLUMN site_ids;
      ALTER TABLE fleet.member DROP COLUMN site_ids;
      ALTER TABLE fleet.invitation DROP COLUMN site_ids;
      ALTER TABLE fleet.dock DROP COLUMN site_id;
      DROP TABLE fleet.site;
    `);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each API key may do, from where, and until when. */
export class ApiKeyRoles1765600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.api_key
        -- Null: made by a release before 0.3.0, in which each key may do everything.
        ADD COLUMN roles        text[],
        ADD COLUMN expires_at   timestamptz,
        -- Addresses and networks from which it may be used. Null: from everywhere.
        ADD COLUMN addresses    cidr[],
        -- Exact to a minute.
        ADD COLUMN last_used_at timestamptz,
        ADD COLUMN created_by   text,
        ADD COLUMN revoked_by   text,
        -- The key in whose place this one came.
        ADD COLUMN replaces     uuid;
    `);
  }

  /** Keys with fewer rights than all end here: an earlier release refuses them, and the next one would give them all. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE fleet.api_key SET revoked_at = clock_timestamp()
       WHERE (revoked_at IS NULL OR revoked_at > clock_timestamp())
         AND (expires_at IS NOT NULL OR addresses IS NOT NULL
              OR NOT roles @> ARRAY['viewer', 'planner', 'pilot', 'fleet_admin', 'org_admin', 'auditor']);
      ALTER TABLE fleet.api_key DROP COLUMN roles, DROP COLUMN expires_at, DROP COLUMN addresses,
        DROP COLUMN last_used_at, DROP COLUMN created_by, DROP COLUMN revoked_by, DROP COLUMN replaces;
    `);
  }
}

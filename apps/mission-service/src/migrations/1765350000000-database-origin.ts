import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which database this is, as mission-service saw it last. A restored one differs: recovery and failover begin another
 * timeline, another server has another identifier, and a dump that is read again makes other tables. The service writes the
 * row as it starts. Servers that do not tell their identifier or their timeline are known by the database and the table
 * alone. Additive: the previous release neither reads nor writes it.
 */
export class DatabaseOrigin1765350000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mission.database_origin (
        only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        origin       text NOT NULL,
        -- When a restore was found that is not settled yet: commands may have left until then.
        restored_at  timestamptz,
        settled_at   timestamptz NOT NULL DEFAULT clock_timestamp()
      );

      CREATE FUNCTION mission.current_origin() RETURNS text LANGUAGE plpgsql STABLE AS $$
      DECLARE
        server text;
      BEGIN
        BEGIN
          -- The control file names the new timeline only after a checkpoint, the log at once.
          SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) INTO server
            FROM pg_control_system();
        EXCEPTION WHEN OTHERS THEN
          server := '-';
        END;
        RETURN server || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
                      || '/' || 'mission.mission'::regclass::oid;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION mission.current_origin(); DROP TABLE mission.database_origin;');
  }
}

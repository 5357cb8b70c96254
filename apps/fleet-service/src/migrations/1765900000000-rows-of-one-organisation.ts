import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the API may know of rows of all organisations, since policies show it those of one: whose a key, a session or an
 * invitation is, who has an email, and that a dock's claim to a serial number yields to its registration. Each gives ids and
 * nothing else. They run as their owner, whom policies let see everything.
 */
export class RowsOfOneOrganisation1765900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION fleet.organisation_of_key(key_id uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT organisation_id FROM fleet.api_key WHERE id = key_id';

      CREATE FUNCTION fleet.organisation_of_session(session_id uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT organisation_id FROM fleet.session WHERE id = session_id';

      CREATE FUNCTION fleet.organisation_of_invitation(invitation_id uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT organisation_id FROM fleet.invitation WHERE id = invitation_id';

      CREATE FUNCTION fleet.person_of(sent_email text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT id FROM fleet.person WHERE lower(email) = lower(sent_email)';

      -- A dock took another dock for its aircraft, perhaps one of another organisation. At most so many moves of it are kept.
      CREATE FUNCTION fleet.yield_claim(registered_sn text, most_moves integer)
        RETURNS TABLE (organisation_id uuid, dock_sn text) LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog AS $$
        #variable_conflict use_column
        DECLARE
          claim record;
        BEGIN
          DELETE FROM fleet.aircraft a WHERE a.sn = registered_sn RETURNING a.organisation_id, a.dock_sn INTO claim;
          IF NOT FOUND THEN RETURN; END IF;
          INSERT INTO fleet.aircraft_move (organisation_id, aircraft_sn, from_dock_sn, to_dock_sn, reason)
          VALUES (claim.organisation_id, registered_sn, claim.dock_sn, NULL, 'registeredAsDock');
          DELETE FROM fleet.aircraft_move m WHERE (m.from_dock_sn = claim.dock_sn OR m.to_dock_sn = claim.dock_sn) AND m.id < (
            SELECT min(id) FROM (
              SELECT id FROM fleet.aircraft_move k WHERE k.from_dock_sn = claim.dock_sn OR k.to_dock_sn = claim.dock_sn
               ORDER BY id DESC LIMIT most_moves) kept);
          RETURN QUERY SELECT claim.organisation_id, claim.dock_sn;
        END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // migrate.js makes these again. Until then they look into a table that an earlier migration takes away.
    await runner.query(`
      DROP POLICY IF EXISTS api ON fleet.organisation;
      DROP POLICY IF EXISTS api ON fleet.person;
      DROP FUNCTION fleet.organisation_of_key, fleet.organisation_of_session, fleet.organisation_of_invitation,
        fleet.person_of, fleet.yield_claim;
    `);
  }
}

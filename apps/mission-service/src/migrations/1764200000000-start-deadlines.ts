import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every unfinished immediate or timed mission has a deadline, from the transaction that accepts it.
 *
 * A replica of the previous release goes on working beside this one. It inserts immediate missions without a deadline, and
 * sets one, later, when a dock accepts the prepare. The CHECK alone would make its `POST /missions` fail, so two triggers
 * give such a row the deadline and keep it; a DEFAULT cannot, because it does not see the kind. They may be dropped once no
 * replica of that release is left; then the one on UPDATE is only a second guard of what the lifecycle promises.
 */
export class StartDeadlines1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Before the UPDATE: this locks writers out until the commit, so that no row without a deadline slips in between.
      CREATE FUNCTION mission.set_start_deadline() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.deadline := NEW.created_at + interval '60 seconds';
        RETURN NEW;
      END $$;
      CREATE TRIGGER set_start_deadline BEFORE INSERT ON mission.mission
        FOR EACH ROW WHEN (NEW.kind = 'immediate' AND NEW.deadline IS NULL)
        EXECUTE FUNCTION mission.set_start_deadline();

      -- Of an immediate mission no event moves the deadline later. A timed one is moved by a person.
      CREATE FUNCTION mission.keep_start_deadline() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.deadline := OLD.deadline;
        RETURN NEW;
      END $$;
      CREATE TRIGGER keep_start_deadline BEFORE UPDATE ON mission.mission
        FOR EACH ROW WHEN (NEW.kind = 'immediate' AND (NEW.deadline > OLD.deadline OR NEW.deadline IS NULL))
        EXECUTE FUNCTION mission.keep_start_deadline();

      -- A mission that was told to start keeps the deadline that it has: whether it started is judged by it.
      UPDATE mission.mission
         SET deadline = CASE
               WHEN kind = 'conditional' THEN coalesce(deadline, ready_until)
               WHEN kind = 'timed' THEN coalesce(deadline, coalesce(execute_at, created_at) + interval '20 seconds')
               WHEN state IN ('scheduled', 'preparing', 'prepared')
                 THEN least(deadline, created_at + interval '60 seconds')
               ELSE coalesce(deadline, created_at + interval '60 seconds') END
       WHERE next_action_at IS NOT NULL AND (deadline IS NULL OR kind = 'immediate');

      -- A conditional mission has its window; next_action_at is null exactly when a mission has ended. Not valid: a later
      -- migration looks at the rows that are there, without a lock that keeps everybody out.
      ALTER TABLE mission.mission ADD CONSTRAINT mission_has_a_deadline CHECK (
        deadline IS NOT NULL OR next_action_at IS NULL OR kind = 'conditional') NOT VALID;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission DROP CONSTRAINT mission_has_a_deadline;
      DROP TRIGGER keep_start_deadline ON mission.mission;
      DROP FUNCTION mission.keep_start_deadline;
      DROP TRIGGER set_start_deadline ON mission.mission;
      DROP FUNCTION mission.set_start_deadline;
    `);
  }
}

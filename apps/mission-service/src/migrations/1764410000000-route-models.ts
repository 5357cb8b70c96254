import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a route file says of the models that it was made for, beside the aircraft's key. */
export class RouteModels1764410000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.wayline
        -- False: the file leaves the aircraft's subtype out, so the 0 in the key is a guess.
        ADD COLUMN names_sub_type     boolean NOT NULL DEFAULT true,
        -- Null: an earlier release stored the file without them.
        ADD COLUMN payload_model_keys jsonb;

      -- Earlier releases say so in a warning only.
      UPDATE mission.wayline SET names_sub_type = false
       WHERE EXISTS (SELECT 1 FROM jsonb_array_elements(warnings) AS w
                      WHERE w->>'file' LIKE '%waylines.wpml' AND w->>'element' LIKE '%droneSubEnumValue%'
                        AND w->>'message' LIKE 'is missing%');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE mission.wayline DROP COLUMN names_sub_type, DROP COLUMN payload_model_keys;`);
  }
}

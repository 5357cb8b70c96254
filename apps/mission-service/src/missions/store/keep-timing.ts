import type { Timing } from '@aerie/mission-core';
import type { DatabaseOf } from '@aerie/persistence';

/**
 * Missions that the first release planned carry no rules of time: they were to follow the settings of the service. What
 * the settings are now is written down for those that wait, so that the upgrade moves none of them.
 */
export async function keepTiming(dataSource: DatabaseOf<'engine'>, timing: Timing): Promise<void> {
  await dataSource.query(
    `UPDATE mission.mission SET timing = $1::jsonb
      WHERE id IN (SELECT id FROM mission.mission WHERE next_action_at IS NOT NULL AND timing = '{}'
                    ORDER BY id FOR UPDATE SKIP LOCKED)`,
    [JSON.stringify(timing)],
  );
}

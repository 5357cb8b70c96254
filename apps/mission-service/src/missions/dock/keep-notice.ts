import { type DockFact, factSubject } from '@aerie/bus-contract';
import { messageIdOf } from '@aerie/messaging';
import { enterInbox, inTransaction, writeOutbox } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../../database.js';
import { writeTimeline } from '../store/timeline.js';

/**
 * What a dock tells beside the progress of a flight, and none of it names a state: the way home, a return that was
 * broken off, a preparation that takes too long. It is kept with the mission that flies, and told to others as a fact,
 * since a person may have to act. [Cloud API, return_home_info, device_exit_homing_notify, flight_setup_exception_notify]
 */
export const NOTICES: ReadonlySet<string> = new Set([
  'return_home_info',
  'device_exit_homing_notify',
  'flight_setup_exception_notify',
]);

/** Alarms among them. The way home is planned anew every few seconds and is none. */
const isAlarm = (method: string): boolean => method !== 'return_home_info';

export function keepNotice(dataSource: DataSource, fact: DockFact, dockSn: string): Promise<void> {
  const method = fact.method ?? '';
  return inTransaction(dataSource, async (tx) => {
    const flying = await tx.one<{ id: string; organisation_id: string }>(
      `SELECT id, organisation_id FROM mission.mission
        WHERE dock_sn = $1 AND state IN ('starting', 'executing', 'paused') LIMIT 1`,
      [dockSn],
    );
    if (flying === undefined) return;
    if (!(await enterInbox(tx, SCHEMA, { sn: fact.sn, method, messageId: messageIdOf(fact) }))) return;
    const detail = { tid: fact.tid, data: fact.data };
    await writeTimeline(tx, [{ missionId: flying.id, kind: 'message_in', what: method, detail }]);
    if (!isAlarm(method)) return;
    const payload = { missionId: flying.id, dockSn, method, data: fact.data };
    await writeOutbox(tx, SCHEMA, [{ subject: factSubject('mission', flying.organisation_id, 'alarm'), payload }]);
  });
}

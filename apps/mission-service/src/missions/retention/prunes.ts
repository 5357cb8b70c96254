import { auditPrune, idempotencyPrune } from '@aerie/http-api';
import { type Prune, inboxAndOutboxPrunes, pruneOldRows } from '@aerie/persistence';
import type { Config } from '../../config.js';
import { SCHEMA } from '../../database.js';
import { detailPrune, missionPrune } from './ended-missions.js';

/** A reservation of the past keeps nobody from anything. Long enough for a person to see that it was left. */
const RESERVATION_DAYS = 8;

type Days = Pick<
  Config,
  | 'MISSION_AUDIT_MONTHS'
  | 'MISSION_DAYS'
  | 'MISSION_DETAIL_DAYS'
  | 'MISSION_IDEMPOTENCY_DAYS'
  | 'MISSION_INBOX_DAYS'
  | 'MISSION_OUTBOX_DAYS'
  | 'MISSION_TRACK_DAYS'
>;

/**
 * All that mission-service deletes by age, beside the days of the flight track. No table whose rows are unique is split
 * by time: a repeat one second after midnight must meet the row of its first.
 */
export const missionPrunes = (days: Days): Prune[] => [
  ...inboxAndOutboxPrunes(SCHEMA, { inboxDays: days.MISSION_INBOX_DAYS, outboxDays: days.MISSION_OUTBOX_DAYS }),
  idempotencyPrune(SCHEMA, days.MISSION_IDEMPOTENCY_DAYS),
  pruneOldRows({ table: 'mission.flight_track_other', at: 'recorded_at', days: days.MISSION_TRACK_DAYS }),
  pruneOldRows({
    table: 'mission.dock_reservation',
    at: 'upper(during)',
    days: RESERVATION_DAYS,
    // One that ends gives its dock back; what is left of one that is not over is needed.
    where: `NOT EXISTS (SELECT 1 FROM mission.mission m
      WHERE holder_kind = 'mission' AND m.id = holder_id AND m.next_action_at IS NOT NULL)`,
  }),
  auditPrune(SCHEMA, days.MISSION_AUDIT_MONTHS),
  detailPrune(days.MISSION_DETAIL_DAYS),
  ...(days.MISSION_DAYS === 0 ? [] : [missionPrune(days.MISSION_DAYS)]),
];

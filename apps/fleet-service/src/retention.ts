import { auditPrune } from '@aerie/http-api';
import { type Prune, inboxAndOutboxPrunes, pruneOldRows } from '@aerie/persistence';
import type { Config } from './config.js';
import { SCHEMA } from './database.js';
import { usedSignInPrune } from './providers/provider.store.js';
import { sessionPrune } from './sessions/session.store.js';

type Days = Pick<
  Config,
  'FLEET_ALARM_DAYS' | 'FLEET_AUDIT_MONTHS' | 'FLEET_INBOX_DAYS' | 'FLEET_KEPT_MESSAGE_DAYS' | 'FLEET_OUTBOX_DAYS'
>;

/** All that fleet-service deletes by age. */
export const fleetPrunes = (days: Days): Prune[] => [
  ...inboxAndOutboxPrunes(SCHEMA, { inboxDays: days.FLEET_INBOX_DAYS, outboxDays: days.FLEET_OUTBOX_DAYS }),
  sessionPrune(),
  usedSignInPrune(),
  auditPrune(SCHEMA, days.FLEET_AUDIT_MONTHS),
  // One that is open has no such instant.
  pruneOldRows({ table: 'fleet.alarm', at: 'closed_at', days: days.FLEET_ALARM_DAYS }),
  pruneOldRows({ table: 'fleet.kept_message', at: 'received_at', days: days.FLEET_KEPT_MESSAGE_DAYS }),
];

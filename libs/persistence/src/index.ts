export { type DatabaseOptions, createDataSource } from './data-source.js';
export { openDatabase } from './open-database.js';
export { migrate, migrateDatabase } from './migrate.js';
export {
  CommitUnknownError,
  ConnectionLostError,
  isDataError,
  isOutage,
  isRetryable,
  sqlState,
} from './database-errors.js';
export { Tx, inTransaction } from './transaction.js';
export {
  LEAST_INBOX_DAYS,
  type MessageKey,
  type OutboxFact,
  enterInbox,
  enterInboxMany,
  inboxAndOutboxPrunes,
  inboxOutboxTables,
  writeOutbox,
} from './inbox-outbox.js';
export { Timeline, type TimelineEntry, beginningOf } from './timeline.js';
export { OutboxRelay } from './outbox-relay.js';
export { type OldRows, type Prune, type PrunedBatch, Retention, pruneOldRows } from './retention.js';

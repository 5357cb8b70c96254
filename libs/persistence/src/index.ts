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
  type MessageKey,
  type OutboxFact,
  enterInbox,
  enterInboxMany,
  inboxOutboxTables,
  writeOutbox,
} from './inbox-outbox.js';
export { OutboxRelay } from './outbox-relay.js';

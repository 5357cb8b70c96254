export { type DatabaseOptions, createDataSource } from './data-source.js';
export { migrate } from './migrate.js';
export { CommitUnknownError, Tx, inTransaction, isDataError, sqlState } from './transaction.js';
export { type MessageKey, type OutboxFact, enterInbox, inboxOutboxTables, writeOutbox } from './inbox-outbox.js';
export { OutboxRelay } from './outbox-relay.js';

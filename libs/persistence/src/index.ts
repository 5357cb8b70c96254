export { type DatabaseOf, type DatabaseOptions, createDataSource } from './data-source.js';
export {
  DOERS,
  type DatabaseSettings,
  type Doer,
  MIGRATOR,
  ROLE_NAMES,
  SCHEMAS,
  type SchemaName,
  engineOf,
  roleOf,
} from './access/roles.js';
export { type RolePasswords, closeDatabase, makeRoles, makeRolesAt } from './access/make-roles.js';
export type { Rights, SchemaRights, TableRights } from './access/rights.js';
export {
  ORGANISATION,
  ORGANISATION_IF_ANY,
  ORGANISATION_SETTING,
  PERSON,
  PERSON_ALONE,
  PERSON_SETTING,
} from './access/policies.js';
export { openDatabase } from './open-database.js';
export { awaitSchema } from './await-schema.js';
export { migrate, migrateDatabase } from './migrate.js';
export { type NewIndex, makeIndex, replaceIndex, validateConstraint } from './unhurried.js';
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
  ApiDatabase,
  type Databases,
  type Finder,
  OrganisationRows,
  type Organisations,
  type Reach,
  ofAnyOrganisation,
  amongDocks,
  reachKeyOf,
  reachesDock,
  rowsOfAll,
  wholeOf,
} from './organisations.js';
export {
  LEAST_INBOX_DAYS,
  type MessageKey,
  OUTBOX_COLUMNS,
  OUTBOX_RETURNING,
  type OutboxFact,
  type OutboxRow,
  bearFacts,
  enterInbox,
  enterInboxMany,
  fullOutbox,
  inboxAndOutboxPrunes,
  inboxOutboxTables,
  leanOutbox,
  outboxValues,
  writeOutbox,
} from './inbox-outbox.js';
export { PackedJson } from './packed-json.js';
export { Timeline, type TimelineEntry, beginningOf, boundedDetail } from './timeline.js';
export { OutboxRelay } from './outbox-relay.js';
export { type OldRows, type Prune, type PrunedBatch, Retention, pruneOldRows } from './retention.js';
export { examineDatabase } from './examine-database.js';
export { showPools } from './show-pools.js';
export { showOutbox } from './show-outbox.js';

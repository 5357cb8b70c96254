export { fill } from './fill.js';
export {
  type MigratedDatabase,
  type MigratedDatabaseOptions,
  bothOf,
  migrateNew,
  migratedDatabase,
} from './migrated-database.js';
export { type KnownBreach, type LintOptions, RULES, type Rule, lintMigrations } from './migration-lint.js';
export { findLeaks } from './leaks.js';
export { type WallsOptions, findBreaches } from './walls.js';

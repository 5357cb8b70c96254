export { fill } from './fill.js';
export { type MigratedDatabase, type MigratedDatabaseOptions, migratedDatabase } from './migrated-database.js';
export { type KnownBreach, type LintOptions, RULES, type Rule, lintMigrations } from './migration-lint.js';

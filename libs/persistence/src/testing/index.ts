export { type MigratedDatabase, type MigratedDatabaseOptions, migratedDatabase } from './migrated-database.js';

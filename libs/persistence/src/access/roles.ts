import type { Peer, Secret } from '@aerie/kernel';

/** The schemas of a site, one for each service that has a database. */
export const SCHEMAS = ['credential', 'fleet', 'log', 'mission'] as const;
export type SchemaName = (typeof SCHEMAS)[number];

/**
 * For whom a statement is run. `api`: for whoever asks, over HTTP, gRPC or by a question of another service. `engine`: for
 * nobody in particular; messages, wakes, sweepers, the outbox.
 */
export const DOERS = ['api', 'engine'] as const;
export type Doer = (typeof DOERS)[number];

/** Owns the schemas and all that is in them, and is the one that migrates. */
export const MIGRATOR = 'migrator';

export const roleOf = (schema: string, doer: Doer): string => `${schema}_${doer}`;

/** What a site needs in its PostgreSQL. Roles are the server's, so one server holds one site. */
export const ROLE_NAMES = [
  MIGRATOR,
  ...SCHEMAS.flatMap((schema) => DOERS.map((doer) => roleOf(schema, doer))),
] as readonly string[];

/** The settings that name the database of a service. */
export interface DatabaseSettings {
  /** With the user of the API. */
  readonly DATABASE_URL: Peer;
  readonly DATABASE_ENGINE_PASSWORD: Secret;
}

/** The same database for the engine of a service. */
export const engineOf = (settings: DatabaseSettings, schema: SchemaName): Peer =>
  settings.DATABASE_URL.as(roleOf(schema, 'engine'), settings.DATABASE_ENGINE_PASSWORD);

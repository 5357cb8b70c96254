export { type TestEnvironment, testEnvironment } from './environment.js';
export { type SchemaCheck, schemaCompiler } from './json-schema.js';
export { type MigrationRound, migrationRound } from './migrations.js';
export { eventually } from './eventually.js';
export { explained } from './explained.js';
export { type Closers, startAll } from './start-all.js';
export { freePort } from '@aerie/loopback';
export { type Authority, type IssuedFiles, makeAuthority } from './certificates.js';
export { METHOD_OVERRIDES, type RawAnswer, askFor, otherSpellings, sameSpellings } from './path-spellings.js';
export { type TlsAnswer, type TlsHello, WEAK_SUITES, tryTls } from './try-tls.js';
export { type TlsWatcher, WRONG_SERVERS, watchTls } from './watch-tls.js';
export { type ByteWatcher, watchBytes } from './watch-bytes.js';
export {
  type PrivateServer,
  startPrivateMosquitto,
  startPrivateNats,
  startPrivatePostgres,
  startPrivateValkey,
} from './private-server.js';
export { type PrivateStorage, type PrivateStorageOptions, startPrivateStorage } from './private-storage.js';
export { type TestDatabase, createTestDatabase } from './test-database.js';

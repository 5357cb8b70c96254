export { type Problem, problem, problemOf } from './problem.js';
export { ApiKeyGuard, ApiKeys, Caller, RemoteApiKeys } from './api-key.guard.js';
export { checkVersion, etagOf, readIfMatch } from './if-match.js';
export { readInput } from './read-input.js';
export {
  type IdempotentRequest,
  type StoredAnswer,
  idempotencyTable,
  once,
  readIdempotencyKey,
} from './idempotency.js';
export { type Page, type Position, pageQuery, readCursor, toPage } from './page.js';
export { configureHttp } from './configure.js';

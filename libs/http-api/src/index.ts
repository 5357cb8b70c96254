export { type Problem, problem, problemOf } from './problem.js';
export { type AuditEntry, AuditTrail, type KnownBearer } from './audit/audit-trail.js';
export { verifyChains } from './audit/audit-chain.js';
export { AuditIntake } from './audit/audit-intake.js';
export { AuditRecords } from './audit/audit-records.js';
export { AUDIT_RIGHTS, auditPrune, auditTables, dropAuditTables } from './audit/audit-tables.js';
export { auditControllerAt } from './audit/audit.controller.js';
export { auditRoute } from './audit/audit.openapi.js';
export { auditRecordSchema } from './audit/audit.schema.js';
export {
  type AskedChange,
  AuditedWithItsChange,
  NotAudited,
  OpenRecord,
  callerWith,
  howAudited,
  openRecordOf,
  recordChanges,
} from './audit/open-record.js';
export { verifyAudit } from './audit/verify-audit.js';
export { ApiKeyGuard, ApiKeys, Caller, RemoteApiKeys, principalOf } from './api-key.guard.js';
export { type LimitSettings, RequestLimits, limitsOf, placeOf } from './request-limits.js';
export { RoutePermissions, demand } from './permissions.js';
export { SINCE_VERSION } from './show-version.js';
export { type ExpectedVersion, checkVersion, etagOf, readIfMatch, versionsOf } from './if-match.js';
export { instantInput, pastMessage } from './instant.js';
export { notThere, unknownDock } from './not-there.js';
export { isReadInstant, queryFlag, queryList, spanInOrder } from './query-input.js';
export { readInput } from './read-input.js';
export {
  type FindBefore,
  type IdempotentRequest,
  LEAST_IDEMPOTENCY_DAYS,
  Refused,
  type StoredAnswer,
  answerOnce,
  findBeforeTogether,
  findMeanwhileTogether,
  idempotencyPrune,
  idempotencyTable,
  once,
  onceTogether,
  readIdempotencyKey,
  requestOf,
} from './idempotency.js';
export {
  type Page,
  type Position,
  cursorParts,
  isCursorInstant,
  pageQuery,
  readCursor,
  toPage,
  writeCursor,
} from './page.js';
export { configureHttp } from './configure.js';
export {
  type AnswerDescription,
  type HttpMethod,
  type OpenApiDocument,
  type Operation,
  type RouteDescription,
  type RouteParts,
  assembleOpenApi,
  jsonAnswer,
  jsonBody,
  listSchema,
  optionalJsonBody,
  pageSchema,
  problemSchema,
  problemsOf,
  route,
} from './openapi/index.js';

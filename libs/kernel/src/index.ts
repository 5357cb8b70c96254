export {
  type Bid,
  type DeviceSn,
  type DockSn,
  type MissionId,
  type OrganisationId,
  type Tid,
  type WaylineId,
} from './ids.js';
export { isSerialNumber, isUuid } from './ids.js';
export { AskTogether } from './ask-together.js';
export { gatherWrites } from './gather-writes.js';
export { OrderPool, type OrderPoolOptions } from './order-pool.js';
export { RunTogether, type RunTogetherOptions } from './run-together.js';
export { WorkShares, type WorkSharesOptions } from './work-shares.js';
export { type Clock } from './clock.js';
export { type Rate, TokenBuckets } from './token-buckets.js';
export {
  AppError,
  type AppErrorOptions,
  ConflictError,
  type FieldProblem,
  InvalidError,
  NotFoundError,
  OutdatedError,
  TimeoutError,
  TooLargeError,
  UnauthenticatedError,
  ForbiddenError,
  TooManyError,
  UnavailableError,
  UnsupportedTypeError,
  assertNever,
  errorChain,
} from './errors.js';
export { type ReadInput, type SchemaFinding, sameLetters, schemaProblems, withoutWords } from './schema-problems.js';
export { Secret } from './secret.js';
export { PEER_NAMES, Peer, type PeerName, type PeerTls, type TlsOptions, tlsOptions, tlsProblem } from './peer.js';
export { type Finding, findingsError } from './findings.js';

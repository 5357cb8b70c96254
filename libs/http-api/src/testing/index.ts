export { type Answered, type CallParts, type CalledService, Caller, successesOf } from './caller.js';
export { type AuditedApi, describeAudit } from './audit.js';
export { type DescribedApi, describeOpenApi } from './describe-openapi.js';
export { type RunningApi, describeRefusedInput } from './refused-input.js';
export { type RunningRoute, routesOf } from './routes-of.js';
export { type GuardedApi, describePermissions, holderOf, keyOfRole, keysOfRoles } from './permissions.js';

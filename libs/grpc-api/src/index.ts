export { AuditCalls } from './audit-calls.js';
export { GrpcCaller, GrpcKeyGuard, Permitted, permissionsOf } from './grpc-key.guard.js';
export { GrpcProblemFilter } from './grpc-problem.filter.js';
export { enumName, textOf, wordOf } from './enums.js';
export { type ProtoTimestamp, isoOf, msOf, timestampOf } from './instants.js';
export { type Message, defined, only } from './message.js';
export { StreamsOfPermitted } from './streams-of-permitted.js';

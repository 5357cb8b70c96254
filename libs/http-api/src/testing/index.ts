export { type Answered, type CallParts, type CalledService, Caller, successesOf } from './caller.js';
export { type DescribedApi, describeOpenApi } from './describe-openapi.js';
export { type RunningRoute, routesOf } from './routes-of.js';

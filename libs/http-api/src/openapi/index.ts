export { type ApiDescription, assembleOpenApi } from './assemble.js';
export { problemsOf } from './operation.js';
export { listSchema, pageSchema } from './lists.js';
export { problemSchema } from './problem.schema.js';
export { jsonAnswer, jsonBody, optionalJsonBody, route } from './route.js';
export {
  type AnswerDescription,
  type HttpMethod,
  type OpenApiDocument,
  type Operation,
  type RouteDescription,
  type RouteParts,
} from './types.js';

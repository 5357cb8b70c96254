import type { NestExpressApplication } from '@nestjs/platform-express';
import { type Logger, REQUEST_ID_HEADER, readRequestId, runWithRequestId } from '@aerie/observability';
import { type NextFunction, type Request, type Response, json } from 'express';
import { answerMethods } from './answer-methods.js';
import { refuseDeep } from './json-depth.js';
import { RefuseUnknownInput, refuseUnreadBody } from './known-input.js';
import type { RouteDescription } from './openapi/types.js';
import { refuseRepeated } from './repeated-member.js';
import { problem, problemOf } from './problem.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';
import { RouteTable } from './route-table.js';
import { ShowVersion } from './show-version.js';

/** No JSON that our routes take is anywhere near this, but for those that say so. */
const MAX_JSON_BYTES = 64 * 1024;
/** `verify` sees the text before it is parsed. Nest needs it for itself only where it keeps raw bodies. */
const JSON_OPTIONS = { limit: MAX_JSON_BYTES, verify: refuseRepeated };

/**
 * What all services do alike at their HTTP door. `routes` describes every route of the service. `proxyHops` is
 * how many proxies stand before it: the outermost of them says in `X-Forwarded-For` where a request comes from.
 */
export function configureHttp(
  app: NestExpressApplication,
  logger: Logger,
  routes: readonly RouteDescription[],
  proxyHops = 0,
): void {
  app.set('trust proxy', proxyHops);
  const table = new RouteTable(routes);
  // Express would hash every body; only versions are of use to callers.
  app.disable('etag').disable('x-powered-by');
  app.use(nameRequest);
  app.use(refuseNul);
  app.use(answerMethods(table));
  app.use(readLargeBodies(table));
  app.useBodyParser('json', JSON_OPTIONS);
  app.use((request: Request, _response: Response, next: NextFunction) => {
    refuseDeep(request.body);
    next();
  });
  // Nest would turn what the parser says into a bare 400; it still knows here what was wrong.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    sendProblem(response, problemOf(refuseUnreadBody(table.find(request.method, request.path)) ?? error)),
  );
  app.useGlobalInterceptors(new RefuseUnknownInput(routes), new ShowVersion(table));
  app.useGlobalFilters(new ProblemFilter(logger));
}

/** Every answer, and every log line of a request, carries its id. */
function nameRequest(request: Request, response: Response, next: NextFunction): void {
  const id = readRequestId(request.headers[REQUEST_ID_HEADER.toLowerCase()]);
  response.setHeader(REQUEST_ID_HEADER, id);
  runWithRequestId(id, next);
}

/** For routes that take more than others. What was read here is not read again. */
function readLargeBodies(table: RouteTable) {
  const readers = new Map<number, ReturnType<typeof json>>();
  return (request: Request, response: Response, next: NextFunction): void => {
    const limit = table.find(request.method, request.path)?.maxBodyBytes;
    if (limit === undefined) return next();
    const reader = readers.get(limit) ?? json({ ...JSON_OPTIONS, limit });
    readers.set(limit, reader);
    reader(request, response, next);
  };
}

/** A NUL character in an id would fail in the database, as a fault of ours. In a query it is refused by name, like any value. */
function refuseNul(request: Request, response: Response, next: NextFunction): void {
  if (!request.path.includes('%00')) return next();
  sendProblem(response, problem(404, 'no_such_route', 'The address holds a NUL character.'));
}

import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from '@aerie/observability';
import type { NextFunction, Request, Response } from 'express';
import { problemOf } from './problem.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';

/** No JSON that our routes take is anywhere near this. */
const MAX_JSON_BYTES = 64 * 1024;

/** What all services do alike at their HTTP door. */
export function configureHttp(app: NestExpressApplication, logger: Logger): void {
  app.useBodyParser('json', { limit: MAX_JSON_BYTES });
  // Nest would turn what the parser says into a bare 400; it still knows here what was wrong.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    sendProblem(response, problemOf(error)),
  );
  app.useGlobalFilters(new ProblemFilter(logger));
}

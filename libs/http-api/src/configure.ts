import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from '@aerie/observability';
import { ProblemFilter } from './problem.filter.js';

/** No JSON that our routes take is anywhere near this. */
const MAX_JSON_BYTES = 64 * 1024;

/** What all services do alike at their HTTP door. */
export function configureHttp(app: NestExpressApplication, logger: Logger): void {
  app.useBodyParser('json', { limit: MAX_JSON_BYTES });
  app.useGlobalFilters(new ProblemFilter(logger));
}

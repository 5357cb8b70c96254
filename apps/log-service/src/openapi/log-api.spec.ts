import { describeOpenApi } from '@aerie/http-api/testing';
import { CONTROLLERS } from '../app.module.js';
import { LOG_API, ROUTES } from './log-api.js';

describeOpenApi({
  document: LOG_API,
  routes: ROUTES,
  controllers: CONTROLLERS,
  committed: new URL('../../../../docs/api/log.openapi.json', import.meta.url),
  moreThan: { references: 80, fields: 150 },
});

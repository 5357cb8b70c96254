import { describeOpenApi } from '@aerie/http-api/testing';
import { CONTROLLERS } from '../app.module.js';
import { MISSION_API, ROUTES } from './mission-api.js';

describeOpenApi({
  document: MISSION_API,
  routes: ROUTES,
  controllers: CONTROLLERS,
  committed: new URL('../../../../docs/api/openapi.json', import.meta.url),
  moreThan: { references: 100, fields: 150 },
});

import { describeOpenApi } from '@aerie/http-api/testing';
import { CONTROLLERS } from '../app.module.js';
import { FLEET_API, ROUTES } from './fleet-api.js';

describeOpenApi({
  document: FLEET_API,
  routes: ROUTES,
  controllers: CONTROLLERS,
  committed: new URL('../../../../docs/api/fleet.openapi.json', import.meta.url),
  moreThan: { references: 20, fields: 30 },
});

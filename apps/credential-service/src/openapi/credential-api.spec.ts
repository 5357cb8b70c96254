import { describeOpenApi } from '@aerie/http-api/testing';
import { CONTROLLERS } from '../app.module.js';
import { CREDENTIAL_API, ROUTES } from './credential-api.js';

describeOpenApi({
  document: CREDENTIAL_API,
  routes: ROUTES,
  controllers: CONTROLLERS,
  committed: new URL('../../../../docs/api/credential.openapi.json', import.meta.url),
  moreThan: { references: 20, fields: 60 },
});

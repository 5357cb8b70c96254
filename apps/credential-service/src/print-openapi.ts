// Writes this service's OpenAPI document to standard output, for `npm run docs:api`. Starts nothing.
import { CREDENTIAL_API } from './openapi/credential-api.js';

process.stdout.write(`${JSON.stringify(CREDENTIAL_API, null, 2)}\n`);

// Writes this service's OpenAPI document to standard output, for `npm run docs:api`. Starts nothing.
import { FLEET_API } from './openapi/fleet-api.js';

process.stdout.write(`${JSON.stringify(FLEET_API, null, 2)}\n`);

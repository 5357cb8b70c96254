// Writes this service's OpenAPI document to standard output, for `npm run docs:api`. Starts nothing.
import { MISSION_API } from './openapi/mission-api.js';

process.stdout.write(`${JSON.stringify(MISSION_API, null, 2)}\n`);

// Writes this service's OpenAPI document to standard output, for `npm run docs:api`. Starts nothing.
import { LOG_API } from './openapi/log-api.js';

process.stdout.write(`${JSON.stringify(LOG_API, null, 2)}\n`);

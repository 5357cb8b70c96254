import { jsonAnswer, route } from '@aerie/http-api';
import { errorCodesSchema } from './error-code.schema.js';
import { errorCodeQuery } from './error-codes.controller.js';

/** The route of ErrorCodesController, for callers. */
export const ERROR_CODE_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/error-codes',
    operationId: 'listErrorCodes',
    permission: 'error_codes.read',
    tag: 'error codes',
    summary: 'What the numbers of docks mean, and what an operator can do',
    query: errorCodeQuery,
    answers: { 200: jsonAnswer('All codes that are known, or the one that was asked for.', errorCodesSchema) },
    problems: { 404: { description: '`unknown_error_code`: nobody has published what it means.' } },
  }),
];

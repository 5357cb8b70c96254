import type { SharedHeader } from './types.js';

/** Headers and cursors that many routes read alike, by their name among the components. */
export const SHARED_HEADERS: Readonly<Record<SharedHeader, { readonly name: string; readonly parameter: object }>> = {
  'Idempotency-Key': {
    name: 'IdempotencyKey',
    parameter: {
      name: 'Idempotency-Key',
      in: 'header',
      description:
        'Chosen by the caller. A repeat with the same key and the same body gets the first answer and does nothing; ' +
        'with another body it is refused.',
      schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
      example: 'survey-17-of-monday',
    },
  },
  'If-Match': {
    name: 'IfMatch',
    parameter: {
      name: 'If-Match',
      in: 'header',
      description:
        'The version that the caller has seen, as the `ETag` shows it in quotes, or several, separated by commas; 412 ' +
        'where it is another one now. `*`, or no header: any version. [RFC 9110, 13.1.1]',
      schema: { type: 'string' },
      example: '"7"',
    },
  },
  'If-None-Match': {
    name: 'IfNoneMatch',
    parameter: {
      name: 'If-None-Match',
      in: 'header',
      description: 'The `ETag` that the caller has; 304 without a body where it is still that one. [RFC 9110, 13.1.2]',
      schema: { type: 'string' },
      example: '"7"',
    },
  },
};

export const SHARED_ANSWER_HEADERS = {
  ETag: { description: 'The version of what is shown, for `If-Match`.', schema: { type: 'string' } },
  Location: { description: 'Path of the new resource, or URL to continue at.', schema: { type: 'string' } },
  'Cache-Control': { description: '`no-store`.', schema: { type: 'string' } },
  'Set-Cookie': { description: 'Cookie of the pending sign-in.', schema: { type: 'string' } },
  'Content-Disposition': { description: 'A name for the file, where it is one to save.', schema: { type: 'string' } },
  'X-Request-Id': {
    description:
      'Names this request in the logs: what the caller sent in the same header, where it has 1 to 128 letters, digits or ' +
      '`.` `_` `:` `/` `+` `=` `@` `-`; else a new id.',
    schema: { type: 'string' },
  },
} as const;

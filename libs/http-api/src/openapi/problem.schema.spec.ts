import { InvalidError, OutdatedError } from '@aerie/kernel';
import { problemOf } from '../problem.js';
import { problemSchema } from './problem.schema.js';

it.each([
  ['an error with fields', new InvalidError('x', 'no', { fields: [{ field: 'a', message: 'b' }] })],
  ['an error with facts', new OutdatedError('x', 'no', { details: { version: 3 } })],
  ['a bug', new Error('secret')],
  ['a body that is no JSON', { type: 'entity.parse.failed' }],
  ['a body that is too large', { type: 'entity.too.large', limit: 1 }],
])('describes what a caller is told of %s', (_what, error) => {
  expect(problemSchema.safeParse(problemOf(error)).error).toBeUndefined();
});

import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import {
  ConflictError,
  InvalidError,
  NotFoundError,
  TooLargeError,
  UnauthenticatedError,
  UnavailableError,
} from '@aerie/kernel';
import { problemOf } from './problem.js';

describe('a problem', () => {
  it.each([
    [422, new InvalidError('some_code', 'failed')],
    [401, new UnauthenticatedError('some_code', 'failed')],
    [404, new NotFoundError('some_code', 'failed')],
    [409, new ConflictError('some_code', 'failed')],
    [413, new TooLargeError('some_code', 'failed')],
    [503, new UnavailableError('some_code', 'failed')],
  ])('has status %i for %s', (status, error) => {
    expect(problemOf(error)).toMatchObject({ status, code: 'some_code', type: 'urn:aerie:problem:some_code' });
  });

  it('tells what happened as a sentence', () => {
    expect(problemOf(new ConflictError('busy', 'the dock is busy')).detail).toBe('The dock is busy.');
  });

  it('names each field that is wrong', () => {
    const fields = [{ field: 'executeAt', message: 'is in the past' }];
    expect(problemOf(new InvalidError('invalid_input', 'the body is not valid', { fields })).errors).toEqual(fields);
  });

  it('shows the facts of an error beside the standard members', () => {
    const error = new ConflictError('wrong_state', 'cannot cancel', {
      details: { state: 'executing', status: 'mine' },
    });
    expect(problemOf(error)).toMatchObject({ state: 'executing', status: 409 });
  });

  it('tells nothing of an error that nobody expected', () => {
    expect(JSON.stringify(problemOf(new Error('password is hunter2')))).not.toContain('hunter2');
  });

  it('tells nothing of the cause of an error of ours', () => {
    const error = new UnavailableError('no_answer', 'failed to ask', { cause: new Error('10.0.0.1 refused') });
    expect(JSON.stringify(problemOf(error))).not.toContain('10.0.0.1');
  });

  it.each([undefined, null, 'text', 7, {}])('is an internal error for a thrown %j', (thrown) => {
    expect(problemOf(thrown)).toMatchObject({ status: 500, code: 'internal_error' });
  });

  it.each(['55P03', '40P01', '57P01', '53300'])('blames no caller for a database that is busy or away (%s)', (code) => {
    const driverError = Object.assign(new Error('canceling statement due to lock timeout'), { code });
    expect(problemOf(driverError)).toMatchObject({ status: 503, code: 'database_busy' });
  });

  it('calls a broken rule of the database what it is, a bug', () => {
    expect(problemOf(Object.assign(new Error('duplicate key'), { code: '23505' }))).toMatchObject({ status: 500 });
  });

  it('says that there is no such route', () => {
    expect(problemOf(new NotFoundException('Cannot GET /x'))).toMatchObject({ status: 404, code: 'no_such_route' });
  });

  it('keeps the status of another error of Nest', () => {
    expect(problemOf(new HttpException('teapot', 418))).toMatchObject({ status: 418, code: 'request_refused' });
  });

  it('says how large a body may be', () => {
    expect(problemOf({ type: 'entity.too.large', limit: 65_536 })).toMatchObject({
      status: 413,
      code: 'body_too_large',
      detail: 'The body may have 65536 bytes at most.',
    });
  });

  it.each([
    ['encoding.unsupported', 'Content-Encoding'],
    ['charset.unsupported', 'Content-Type'],
  ])('says which header is not read for %s', (type, field) => {
    expect(problemOf({ type })).toMatchObject({ status: 415, code: 'unsupported_media_type', errors: [{ field }] });
  });

  it.each(['entity.parse.failed', 'request.size.invalid'])('says that the body is no JSON for %s', (type) => {
    expect(problemOf({ type })).toMatchObject({ status: 400, code: 'invalid_json', errors: [{ field: 'body' }] });
  });

  it('finds what the body parser said inside what Nest made of it', () => {
    const error = new BadRequestException('Unexpected token', { cause: { type: 'entity.parse.failed' } });
    expect(problemOf(error)).toMatchObject({ status: 400, code: 'invalid_json' });
  });
});

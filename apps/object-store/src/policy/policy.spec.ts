import fc from 'fast-check';
import { type AccessRequest, evaluate, permits } from './evaluate.js';
import { MalformedPolicyError, type Statement, parsePolicy } from './policy-document.js';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');
const policyOf = (...statements: object[]) =>
  parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: 's3:*', Resource: '*', ...more });
const aRequest = (more: Partial<AccessRequest> = {}): AccessRequest => ({
  action: 's3:PutObject',
  resource: 'arn:aws:s3:::bucket/log/1/a',
  nowMs: NOW_MS,
  secureTransport: false,
  ...more,
});

describe('a policy', () => {
  it('allows nothing that no statement allows', () => {
    const policy = policyOf(allow({ Action: 's3:GetObject' }));
    expect(evaluate(policy, aRequest())).toBe('not allowed');
  });

  it.each([
    ['s3:PutObject', true],
    ['S3:putobject', true],
    ['s3:Put*', true],
    ['s3:PutObjec?', true],
    ['*', true],
    ['s3:PutObjectAcl', false],
  ])('takes the action %s for s3:PutObject: %s', (Action, allowed) => {
    expect(permits([policyOf(allow({ Action: ['s3:GetObject', Action] }))], aRequest())).toBe(allowed);
  });

  it.each([
    ['arn:aws:s3:::bucket/log/1/*', true],
    ['arn:aws:s3:::bucket/log/?/a', true],
    ['arn:aws:s3:::bucket/*', true],
    ['arn:aws:s3:::bucket', false],
    ['arn:aws:s3:::bucket/LOG/1/*', false],
    ['arn:aws:s3:::bucket/log/1', false],
    ['arn:aws:s3:::bucket/log/10/*', false],
  ])('takes the resource %s for an object below log/1/: %s', (Resource, allowed) => {
    expect(permits([policyOf(allow({ Resource }))], aRequest())).toBe(allowed);
  });

  it('denies what one statement denies, whatever others allow', () => {
    const policy = policyOf(allow(), { ...allow({ Action: 's3:PutObject' }), Effect: 'Deny' });
    expect(evaluate(policy, aRequest())).toBe('denied');
    expect(evaluate(policy, aRequest({ action: 's3:GetObject' }))).toBe('allowed');
  });

  it('allows a list by its prefix, and takes a missing condition for one that does not hold', () => {
    const equal = policyOf(allow({ Condition: { StringEquals: { 's3:prefix': ['log/1/', 'log/2/'] } } }));
    expect(permits([equal], aRequest({ prefix: 'log/2/' }))).toBe(true);
    expect(permits([equal], aRequest({ prefix: 'log/' }))).toBe(false);
    expect(permits([equal], aRequest())).toBe(false);
    const like = policyOf(allow({ Condition: { StringLike: { 's3:prefix': 'log/1/*' } } }));
    expect(permits([like], aRequest({ prefix: 'log/1/a' }))).toBe(true);
    expect(permits([like], aRequest({ prefix: '' }))).toBe(false);
  });

  it('denies tokens that are older than a time, and no others', () => {
    const policy = policyOf(allow(), {
      ...allow({ Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-01-31T11:00:00Z' } } }),
      Effect: 'Deny',
    });
    expect(evaluate(policy, aRequest({ tokenIssuedAtMs: NOW_MS - 7_200_000 }))).toBe('denied');
    expect(evaluate(policy, aRequest({ tokenIssuedAtMs: NOW_MS - 60_000 }))).toBe('allowed');
    expect(evaluate(policy, aRequest())).toBe('allowed');
  });

  it('is good until or from a time, and for a transport', () => {
    const holds = (Condition: object) => permits([policyOf(allow({ Condition }))], aRequest());
    expect(holds({ DateLessThan: { 'aws:CurrentTime': '2026-02-01T00:00:00Z' } })).toBe(true);
    expect(holds({ DateGreaterThan: { 'aws:CurrentTime': '2026-02-01T00:00:00Z' } })).toBe(false);
    expect(holds({ Bool: { 'aws:SecureTransport': 'false' } })).toBe(true);
    expect(holds({ Bool: { 'aws:SecureTransport': true } })).toBe(false);
  });

  it.each([
    ['NotAction', [{ ...allow(), NotAction: 's3:GetObject' }]],
    ['NotResource', [{ Effect: 'Allow', Action: 's3:*', NotResource: 'arn:aws:s3:::a/*' }]],
    ['a Principal', [allow({ Principal: '*' })]],
    ['another condition key', [allow({ Condition: { StringEquals: { 'aws:username': 'a' } } })]],
    ['another operator', [allow({ Condition: { StringNotEquals: { 's3:prefix': 'a' } } })]],
    ['an operator on a key that it is not for', [allow({ Condition: { StringLike: { 'aws:CurrentTime': '*' } } })]],
    ['a condition without values', [allow({ Condition: { StringEquals: { 's3:prefix': [] } } })]],
    ['a time that is none', [allow({ Condition: { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } } })]],
    ['a policy variable', [allow({ Resource: 'arn:aws:s3:::bucket/${aws:username}/*' })]],
    ['an action of another service', [allow({ Action: 'sts:AssumeRole' })]],
    ['a resource of another service', [allow({ Resource: 'arn:aws:sqs:::queue' })]],
    ['no resource', [{ Effect: 'Allow', Action: 's3:*' }]],
    ['an effect that is none', [allow({ Effect: 'Maybe' })]],
    ['no statement', []],
  ])('is refused when it has %s', (_what, statements) => {
    expect(() => policyOf(...statements)).toThrow(MalformedPolicyError);
  });

  it.each(['', 'no json', '[]', 'null', '{"Statement":[]}', '{"Version":"2012-10-17","Statement":[],"Extra":1}'])(
    'is refused when its text is %j',
    (text) => expect(() => parsePolicy(text)).toThrow(MalformedPolicyError),
  );

  it('is refused when it says one thing twice, of which a reader would see the later only', () => {
    const text = '{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","\\u0045ffect":"Allow"}}';
    expect(() => parsePolicy(text)).toThrow(/twice/);
  });
});

const action = fc.constantFrom('s3:PutObject', 's3:GetObject', 's3:DeleteObject');
const resource = fc.constantFrom('a/1', 'a/2', 'b/1').map((path) => `arn:aws:s3:::${path}`);
const request = fc.record({ action, resource }).map((wish) => aRequest(wish));
const statement = fc.record({
  Effect: fc.constantFrom('Allow', 'Deny'),
  Action: fc.oneof(action, fc.constantFrom('*', 's3:Put*')),
  Resource: fc.oneof(resource, fc.constantFrom('*', 'arn:aws:s3:::a/*', 'arn:aws:s3:::?/1')),
});
const policy = fc.array(statement, { minLength: 1, maxLength: 6 }).map((list) => policyOf(...list));
const effectless = (list: readonly Statement[]) => list.map((one) => ({ ...one, effect: 'Deny' as const }));

describe('any policy', () => {
  it('means the same in every order of its statements', () => {
    fc.assert(fc.property(policy, request, (p, r) => expect(evaluate([...p].reverse(), r)).toBe(evaluate(p, r))));
  });

  it('never allows more for one more deny', () => {
    fc.assert(
      fc.property(policy, policy, request, (p, more, r) => {
        if (permits([[...p, ...effectless(more)]], r)) expect(permits([p], r)).toBe(true);
      }),
    );
  });

  it('never allows more together with another one, which both must allow', () => {
    fc.assert(
      fc.property(policy, policy, request, (role, session, r) => {
        expect(permits([role, session], r)).toBe(permits([role], r) && permits([session], r));
      }),
    );
  });

  it('allows nothing without any policy', () => {
    fc.assert(fc.property(request, (r) => expect(permits([], r)).toBe(false)));
  });
});

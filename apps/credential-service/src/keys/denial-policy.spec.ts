import fc from 'fast-check';
import { RUNS } from '@aerie/property-testing';
import type { Denial } from '../providers/storage.provider.js';
import { denialPolicy, fitDenials } from './denial-policy.js';

interface Statement {
  readonly Effect: string;
  readonly Resource: string;
  readonly Condition: { readonly DateLessThan: { readonly 'aws:TokenIssueTime': string } };
}
const statementsOf = (denials: readonly Denial[]): readonly Statement[] =>
  (JSON.parse(denialPolicy('aerie', denials)) as { Statement: Statement[] }).Statement;

const denies = (statements: readonly Statement[], key: string, issuedAt: Date): boolean =>
  statements.some(
    ({ Resource, Condition }) =>
      `arn:aws:s3:::aerie/${key}`.startsWith(Resource.slice(0, -1)) &&
      issuedAt < new Date(Condition.DateLessThan['aws:TokenIssueTime']),
  );

const denials = fc.record({
  prefix: fc
    .tuple(fc.uuid(), fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), { nil: null }))
    .map(([organisation, sn]) => (sn === null ? `org/${organisation}/` : `org/${organisation}/dock/${sn}/`)),
  notBefore: fc.date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }),
});

describe('the policy of what was called back', () => {
  it('denies every key that it was made for in a policy that IAM takes, or says that there are too many', () => {
    fc.assert(
      fc.property(fc.array(denials, { minLength: 1, maxLength: 120 }), (list) => {
        const fitting = fitDenials('aerie', list);
        // Of so many organisations that even one line for each is too much; said, and not passed over.
        if (fitting === null)
          return expect(new Set(list.map(({ prefix }) => prefix.slice(0, 40))).size).toBeGreaterThan(25);
        expect(denialPolicy('aerie', fitting).length).toBeLessThanOrEqual(6_800);
        const statements = statementsOf(fitting);
        for (const { prefix, notBefore } of list) {
          expect(denies(statements, `${prefix}media/a.jpeg`, new Date(notBefore.getTime() - 1))).toBe(true);
        }
      }),
      { numRuns: Math.min(RUNS.numRuns ?? 100, 300) },
    );
  });

  it('lets alone what was made since, and other docks', () => {
    const notBefore = new Date('2026-11-24T12:00:00Z');
    const statements = statementsOf([{ prefix: 'org/1/dock/A/', notBefore }]);
    expect(denies(statements, 'org/1/dock/A/media/x', notBefore)).toBe(false);
    expect(denies(statements, 'org/1/dock/AB/media/x', new Date(0))).toBe(false);
    expect(denies(statements, 'org/2/dock/A/media/x', new Date(0))).toBe(false);
  });

  it('denies all docks of an organisation where there are too many to name, and nobody else', () => {
    const notBefore = new Date('2026-11-24T12:00:00Z');
    const many = Array.from({ length: 60 }, (_, index) => ({ prefix: `org/1/dock/D-${index}/`, notBefore }));
    const fitting = fitDenials('aerie', many);
    expect(fitting).toEqual([{ prefix: 'org/1/', notBefore }]);
    expect(denies(statementsOf(fitting ?? []), 'org/2/dock/D-1/x', new Date(0))).toBe(false);
    expect(() => denialPolicy('aerie', many)).toThrow('more denials');
  });

  it('keeps the latest of several denials of one prefix', () => {
    const [early, late] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
    const statements = statementsOf([late, early].map((notBefore) => ({ prefix: 'org/1/', notBefore })));
    expect(statements).toHaveLength(1);
    expect(denies(statements, 'org/1/dock/A/x', early)).toBe(true);
  });

  it('is a policy also when nothing is denied any more', () => {
    expect(denies(statementsOf([]), 'org/1/dock/A/x', new Date())).toBe(false);
    expect(statementsOf([])).toHaveLength(1);
  });
});

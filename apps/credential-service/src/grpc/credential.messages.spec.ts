import { bodyOfStorage, bodyOfUpload, queryOfIssues } from './credential.messages.js';

it('keeps a number that has no name in this release, so that the checks refuse it', () => {
  expect(bodyOfStorage({ provider: 99 })).toEqual({ provider: '99' });
  expect(queryOfIssues({ kind: 99 })).toEqual({ kind: '99' });
  expect(bodyOfUpload({ method: 99 })).toEqual({ method: '99' });
});

it('leaves out what was not chosen, so that the default holds', () => {
  expect(bodyOfStorage({ provider: 'STORAGE_PROVIDER_UNSPECIFIED' })).toEqual({});
  expect(queryOfIssues({ kind: 'ISSUE_KIND_UNSPECIFIED' })).toEqual({});
});

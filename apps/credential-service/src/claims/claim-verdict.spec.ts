import { type ClaimVerdict, claimVerdictOf, keyProblemOf } from './claim-verdict.js';

const ORGANISATION = '11111111-1111-4111-8111-111111111111';
const OTHER_ORGANISATION = '22222222-2222-4222-8222-222222222222';
const OWN = `org/${ORGANISATION}/dock/D-1`;
const verdictOn = (objectKey: string): ClaimVerdict =>
  claimVerdictOf(objectKey, { organisationId: ORGANISATION, dockSn: 'D-1' });

describe('N63: a claim of a dock', () => {
  it.each([
    ['a picture', `${OWN}/media/DJI_001/DJI_0001_V.jpeg`],
    ['a log', `${OWN}/logs/1/1/3.tar`],
    ['a name with spaces and letters of any script', `${OWN}/media/航线 1/é.jpeg`],
    ['a name with two dots in it', `${OWN}/media/a..jpeg`],
    ['an encoded slash, which is a part of a name', `${OWN}/media/..%2f..%2fD-2%2fa.jpeg`],
  ])('is inside its own folder: %s', (_, objectKey) => {
    expect(verdictOn(objectKey)).toBe('inside');
  });

  it.each([
    ['the folder of another dock', `org/${ORGANISATION}/dock/D-2/media/a.jpeg`],
    ['a dock whose serial number begins like its own', `org/${ORGANISATION}/dock/D-10/media/a.jpeg`],
    ['another organisation', `org/${OTHER_ORGANISATION}/dock/D-1/media/a.jpeg`],
    ['a wayline of its organisation', `${ORGANISATION}/waylines/${'a'.repeat(64)}.kmz`],
    ['a folder that only begins with its own', `x/${OWN}/media/a.jpeg`],
    ['an encoded slash in place of the one that ends its folder', `${OWN}%2fmedia/a.jpeg`],
    ['other capitals', `ORG/${ORGANISATION}/dock/D-1/media/a.jpeg`],
    ['a slash before everything', `/${OWN}/media/a.jpeg`],
    ['a way up to another dock', `${OWN}/../D-2/media/a.jpeg`],
    ['a way up and back', `${OWN}/media/../media/a.jpeg`],
    ['a way up at the end', `${OWN}/media/..`],
    ['a part that stays where it is', `${OWN}/./a.jpeg`],
    ['an empty part', `${OWN}/media//a.jpeg`],
    ['a folder', `${OWN}/media/`],
    ['its whole folder', `${OWN}/`],
    ['its whole folder without the slash', OWN],
    ['a way up in the manner of another system', `${OWN}/media\\..\\..\\a.jpeg`],
    ['another line', `${OWN}/media/a.jpeg\n`],
    ['a character that nobody sees', `${OWN}/media/a\u0085.jpeg`],
    ['nothing', ''],
  ])('is outside of it: %s', (_, objectKey) => {
    expect(verdictOn(objectKey)).toBe('outside');
  });
});

describe('N63: a text', () => {
  it.each([
    ['nothing', undefined, 'it claims no key'],
    ['an empty text', '', 'it claims no key'],
    ['a number', 7, 'it claims no key'],
    ['1,024 bytes', 'x'.repeat(1_024), null],
    ['1,025 bytes', 'x'.repeat(1_025), 'it claims a key of 1025 bytes; the longest that there are have 1,024'],
    [
      'few letters of many bytes',
      '航'.repeat(342),
      'it claims a key of 1026 bytes; the longest that there are have 1,024',
    ],
  ])('may or may not be a key: %s', (_, objectKey, problem) => {
    expect(keyProblemOf(objectKey)).toBe(problem);
  });
});

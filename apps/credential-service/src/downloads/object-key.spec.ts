import { InvalidError } from '@aerie/kernel';
import { ownerOfObject } from './object-key.js';

const ORGANISATION = '0b0f3c6e-6f0a-4c86-9b1c-1f6d3f0d4a11';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const SHA256 = 'a'.repeat(64);
const wayline = `${ORGANISATION}/waylines/${SHA256}.kmz`;
const own = `org/${ORGANISATION}/dock/D-1/media/DJI 001/a.jpeg`;

function refusalOf(objectKey: string, organisationId = ORGANISATION): unknown {
  try {
    return ownerOfObject(objectKey, organisationId);
  } catch (error) {
    return error;
  }
}

it('knows waylines from what docks and people have uploaded', () => {
  expect(ownerOfObject(wayline, ORGANISATION)).toBe('wayline');
  expect(ownerOfObject(own, ORGANISATION)).toBe('own');
  // Firmware that adds a slash to a folder that has one.
  expect(ownerOfObject(`org/${ORGANISATION}/dock/D-1/logs/u/1//D-1/a.log`, ORGANISATION)).toBe('own');
});

it.each([wayline, own])('refuses %s to another organisation', (objectKey) => {
  expect(refusalOf(objectKey, OTHER)).toMatchObject({
    kind: 'invalid',
    code: 'object_not_of_organisation',
    fields: [{ field: 'objectKey', message: 'belongs to another organisation' }],
  });
});

it.each([
  ['climbs into another organisation', `${ORGANISATION}/../${OTHER}/waylines/${SHA256}.kmz`],
  ['climbs at its end', `${ORGANISATION}/waylines/../../${OTHER}/waylines/${SHA256}.kmz`],
  ['begins with a slash', `/${wayline}`],
  ['is of another kind', `${ORGANISATION}/logs/${SHA256}.kmz`],
  ['is no hash', `${ORGANISATION}/waylines/route.kmz`],
  ['is a hash in capitals', `${ORGANISATION}/waylines/${SHA256.toUpperCase()}.kmz`],
  ['has another line', `${wayline}\n`],
  ['is empty', ''],
  ['climbs out of its organisation', `org/${ORGANISATION}/../${OTHER}/a`],
  ['climbs at the end of its organisation', `org/${ORGANISATION}/dock/..`],
  ['stays where it is', `org/${ORGANISATION}/./a`],
  ['names a folder', `org/${ORGANISATION}/dock/`],
  ['is all of an organisation', `org/${ORGANISATION}/`],
  ['climbs in the manner of another system', `org/${ORGANISATION}/..\\..\\a`],
  ['has a letter that nobody sees', `org/${ORGANISATION}/a\u0000b`],
])('refuses a key that %s', (_what, objectKey) => {
  const refusal = refusalOf(objectKey);
  expect(refusal).toBeInstanceOf(InvalidError);
  expect(refusal).toMatchObject({ code: 'object_not_of_organisation', fields: [{ field: 'objectKey' }] });
});

it.each(['', '..', 'org', `${ORGANISATION}/`])('refuses %j as an organisation', (organisationId) => {
  expect(refusalOf(`${organisationId}/waylines/${SHA256}.kmz`, organisationId)).toMatchObject({
    fields: [{ field: 'organisationId' }],
  });
});

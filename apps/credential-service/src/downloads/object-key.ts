import { InvalidError, isUuid } from '@aerie/kernel';

const WAYLINE_KEY = /^([^/]+)\/waylines\/[0-9a-f]{64}\.kmz$/;

/**
 * Lets a key pass only where it belongs to the organisation that asks: `<organisationId>/waylines/<sha256>.kmz`. The
 * asker has checked that already; here is the last place before an organisation's file leaves for a dock.
 */
export function checkObjectKey(objectKey: string, organisationId: string): void {
  if (!isUuid(organisationId)) throw refusal('organisationId', 'is no id of an organisation');
  const [, owner] = WAYLINE_KEY.exec(objectKey) ?? [];
  if (owner === undefined) throw refusal('objectKey', 'must be <organisationId>/waylines/<sha256>.kmz');
  if (owner !== organisationId) throw refusal('objectKey', 'belongs to another organisation');
}

function refusal(field: string, message: string): InvalidError {
  return new InvalidError('object_not_of_organisation', 'no URL is made for this object', {
    fields: [{ field, message }],
  });
}

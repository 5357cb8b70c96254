import { InvalidError, isUuid } from '@aerie/kernel';

const WAYLINE_KEY = /^([^/]+)\/waylines\/[0-9a-f]{64}\.kmz$/;
/** Below `org/<organisation>/` a key may have what docks make of it, such as empty parts; none that climbs, and no folder. */
const OWN_KEY = /^org\/([^/]+)\/[^\u0000-\u001f\u007f\\]{1,900}$/u;
const CLIMBS = /(^|\/)\.{1,2}(\/|$)|\/$/;

/**
 * Lets a key pass only where it belongs to the organisation that asks: `<organisationId>/waylines/<sha256>.kmz` or
 * `org/<organisationId>/…`. The asker has checked that already; here is the last place before a file leaves.
 *
 * @throws InvalidError that names the field
 */
export function ownerOfObject(objectKey: string, organisationId: string, field = 'objectKey'): 'wayline' | 'own' {
  if (!isUuid(organisationId)) throw refusal('organisationId', 'is no id of an organisation');
  const [, ofWayline] = WAYLINE_KEY.exec(objectKey) ?? [];
  const [, ofOwn] = CLIMBS.test(objectKey) ? [] : (OWN_KEY.exec(objectKey) ?? []);
  const owner = ofWayline ?? ofOwn;
  if (owner === undefined) {
    throw refusal(field, 'must be <organisationId>/waylines/<sha256>.kmz or org/<organisationId>/…');
  }
  if (owner !== organisationId) throw refusal(field, 'belongs to another organisation');
  return ofWayline === undefined ? 'own' : 'wayline';
}

function refusal(field: string, message: string): InvalidError {
  return new InvalidError('object_not_of_organisation', 'the object is not to be had', {
    fields: [{ field, message }],
  });
}

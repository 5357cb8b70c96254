import { InvalidError, isSerialNumber, isUuid } from '@aerie/kernel';

/** What is put below a prefix. */
export type PrefixUse =
  { readonly kind: 'media' } | { readonly kind: 'logs'; readonly uploadId: string; readonly attempt: number };

/**
 * Where a dock may write: `org/<organisation>/dock/<sn>/media/` or `…/logs/<upload>/<attempt>/`. It ends in a slash, or
 * keys for upload 1 would cover upload 10. Every part has only letters, digits, `-` and `_`, so none can climb, and
 * none has a meaning in a policy.
 *
 * @throws InvalidError that names the part
 */
export function prefixOf(organisationId: string, dockSn: string, use: PrefixUse): string {
  const dock = ownerPrefixOf(organisationId, dockSn);
  if (use.kind === 'media') return `${dock}media/`;
  if (!isUuid(use.uploadId)) throw refusal('uploadId', 'is no id of a log upload');
  if (!Number.isInteger(use.attempt) || use.attempt < 1 || use.attempt > 99)
    throw refusal('attempt', 'must be 1 to 99');
  return `${dock}logs/${use.uploadId}/${use.attempt}/`;
}

/** Everything of an organisation, or of one of its docks: `org/<organisation>/` or `org/<organisation>/dock/<sn>/`. */
export function ownerPrefixOf(organisationId: string, dockSn: string | null): string {
  if (!isUuid(organisationId)) throw refusal('organisationId', 'is no id of an organisation');
  if (dockSn !== null && !isSerialNumber(dockSn)) throw refusal('dockSn', 'is no serial number');
  return dockSn === null ? `org/${organisationId}/` : `org/${organisationId}/dock/${dockSn}/`;
}

function refusal(field: string, message: string): InvalidError {
  return new InvalidError('invalid_prefix', 'no keys are made for this', { fields: [{ field, message }] });
}

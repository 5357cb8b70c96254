import type { TopologyDevice } from '@aerie/dji-protocol';

/** [Cloud API, product support] `domain`. */
export const AIRCRAFT_DOMAIN = '0';
export const DOCK_DOMAIN = '3';

/**
 * `domain-type-sub_type` of a device of this domain. Null: the device names no model or is of another domain. Protocols
 * up to 1.6 leave the domain out.
 */
export function modelKeyOf({ domain, type, sub_type }: TopologyDevice, expected: string): string | null {
  if (type === undefined || sub_type === undefined || (domain ?? expected) !== expected) return null;
  return `${expected}-${type}-${sub_type}`;
}

/** A key as a dock wrote it; null where it is not one of this domain. */
export function readModelKey(key: string | undefined, expected: string): string | null {
  return key !== undefined && /^\d-\d{1,5}-\d{1,5}$/.test(key) && key.startsWith(`${expected}-`) ? key : null;
}

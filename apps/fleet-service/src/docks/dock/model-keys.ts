import { type DockModel, type TopologyDevice, dockModelOf } from '@aerie/dji-protocol';

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

/** The model that a dock reports: its topology is newer than its binding. Null: neither names one that is known. */
export function reportedModelOf(row: {
  readonly reported_model_key: string | null;
  readonly bound_model_key: string | null;
}): DockModel | null {
  return dockModelOf(row.reported_model_key ?? '') ?? dockModelOf(row.bound_model_key ?? '');
}

import { type Reach, reachesDock } from '@aerie/persistence';

/** Whether a mission is one that the caller may know of. */
export const isReached = (
  reach: Reach,
  { organisation_id, dock_sn }: { readonly organisation_id: string; readonly dock_sn: string },
): boolean => organisation_id === reach.organisationId && reachesDock(reach, dock_sn);

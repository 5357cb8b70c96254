import { ConflictError } from '@aerie/kernel';
import type { Holder } from '../store/dock-reservations.js';

/** Who has the dock at the time that was asked for. */
export interface ConflictView {
  readonly kind: 'mission' | 'log_upload';
  readonly id: string;
  readonly name: string | null;
  readonly state: string | null;
  /** The dock is taken from then on, with the time it takes to get ready. */
  readonly from: string;
  readonly until: string;
}

export const conflictOf = (holder: Holder): ConflictView => ({
  kind: holder.holder_kind,
  id: holder.holder_id,
  name: holder.name,
  state: holder.state,
  from: holder.from_at.toISOString(),
  until: holder.until_at.toISOString(),
});

/** A dock flies one mission at a time: names the other one, and from when the dock is free. */
export function dockTaken(holders: readonly Holder[], field: 'executeAt' | 'dockSn'): ConflictError {
  const conflicts = holders.map(conflictOf);
  const first = conflicts[0];
  const whose = first?.kind === 'log_upload' ? `log upload ${first.id}` : `mission ${first?.id ?? ''}`;
  const last = conflicts.at(-1);
  const message =
    `the dock is taken by ${whose} from ${first?.from ?? ''} until ${first?.until ?? ''}; ` +
    `choose a time after ${last?.until ?? ''}, or cancel ${first?.kind === 'log_upload' ? 'the upload' : 'that mission'}`;
  return new ConflictError('dock_taken', message, { fields: [{ field, message }], details: { conflicts } });
}

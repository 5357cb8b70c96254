import type { DockRecord } from '@aerie/bus-contract';
import {
  type BreakPoint,
  type DockProfile,
  type Generation,
  findMethod,
  generationOf,
  speaks,
} from '@aerie/dji-protocol';
import type { CommandName } from './command-names.js';

/** A place where a flight stopped, in the dock's own words, as it goes back into a prepare. */
export type StoredBreakPoint = BreakPoint;

export const profileFrom = (model: DockProfile['model'], generation: string): DockProfile => ({
  model,
  generation: generation as Generation,
});

/** Its commands have the form that the dock itself reports; the registration may be wrong. */
export const asReported = (dock: DockRecord): DockRecord => ({ ...dock, model: dock.reportedModel ?? dock.model });

/** The columns of a dock as its missions have them. */
interface DockColumns {
  readonly model: DockProfile['model'];
  readonly protocol_generation: string;
}

export const profileOf = (row: DockColumns): DockProfile => profileFrom(row.model, row.protocol_generation);

/** Whether this dock has the command. Docks older than 1.3.0, for one, know only flighttask_create. */
export function knows(profile: DockProfile, method: CommandName): boolean {
  const entry = findMethod('services', method);
  return entry !== null && entry.models.includes(profile.model) && speaks(profile, entry.since);
}

/** For messages: which dock it is that cannot do something. */
export const describeDock = (profile: DockProfile): string =>
  `a ${profile.model} that speaks protocol ${generationOf(profile)}`;

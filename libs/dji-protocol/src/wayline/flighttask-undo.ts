import { z } from 'zod';
import { speaks, type DockProfile } from '../dock-profile.js';
import type { JsonObject } from '../payload.js';
import { flightId, pick, written } from '../strict.js';
import { MOST_FLIGHTS } from '../most.js';
import { list, name, record } from '../tolerant.js';
import { listedFlights } from './flight-ids.js';

/** Cancels flights that were delivered and do not fly yet; one result for the whole list. [Cloud API 1.3.2, flighttask_undo] */
export interface FlighttaskUndo {
  readonly flight_ids: readonly string[];
}

export const decodeFlighttaskUndo: z.ZodType<FlighttaskUndo> = record(
  { flight_ids: list(name, MOST_FLIGHTS) },
  listedFlights,
);

export const strictFlighttaskUndo = z.object({ flight_ids: z.array(flightId).min(1) });
const strictLegacyUndo = strictFlighttaskUndo.extend({ flight_id: z.array(flightId).min(1) });

/** Quirk M9: up to 1.3.1 the array had the singular name. Older docks get both, whichever they read. */
export function encodeFlighttaskUndo(data: unknown, profile: DockProfile): JsonObject {
  const given = pick(data, ['flight_ids']);
  if (speaks(profile, '1.3.2')) return written('flighttask_undo', strictFlighttaskUndo, given);
  return written('flighttask_undo', strictLegacyUndo, { ...given, flight_id: given['flight_ids'] });
}

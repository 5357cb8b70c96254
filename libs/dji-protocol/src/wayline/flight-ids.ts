import { renamed, type Members } from '../tolerant.js';

/** Reads a list of flights under its singular name too, and a lone id as a list of one (quirk M9). */
export function listedFlights(value: Members): Members {
  const named = renamed(value, 'flight_id', 'flight_ids');
  const ids = named['flight_ids'];
  return typeof ids === 'string' ? { ...named, flight_ids: [ids] } : named;
}

/** Drops an empty id: it names nothing, and would hide the `bid` from whoever prefers the `flight_id`. */
export function namedFlight(value: Members): Members {
  if (value['flight_id'] !== '') return value;
  const { flight_id: _empty, ...rest } = value;
  return rest;
}

import type { z } from 'zod';
import { MOST_FLIGHTS } from '../most.js';
import { list, name, record } from '../tolerant.js';
import { listedFlights } from './flight-ids.js';

/** Conditional flights whose conditions hold now. [Cloud API 1.3.2, flighttask_ready] */
export interface FlighttaskReady {
  readonly flight_ids: readonly string[];
}

export const decodeFlighttaskReady: z.ZodType<FlighttaskReady> = record(
  { flight_ids: list(name, MOST_FLIGHTS) },
  listedFlights,
);

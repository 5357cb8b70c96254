import { z } from 'zod';
import type { JsonObject } from '../payload.js';
import { flightId, pick, written, zeroOrOne } from '../strict.js';
import { integer, name, record } from '../tolerant.js';

/**
 * Ends the flight at one dock of a leapfrog pair, after the other one reported an end. Dock 2 and 3.
 * [Cloud API 1.11, flighttask_stop]
 */
export interface FlighttaskStop {
  readonly flight_id: string;
  /** 0 ended normally, 1 the other dock failed. */
  readonly reason: number;
}

export const decodeFlighttaskStop: z.ZodType<FlighttaskStop> = record({ flight_id: name, reason: integer });

export const strictFlighttaskStop = z.object({ flight_id: flightId, reason: zeroOrOne });

export const encodeFlighttaskStop = (data: unknown): JsonObject =>
  written('flighttask_stop', strictFlighttaskStop, pick(data, ['flight_id', 'reason']));

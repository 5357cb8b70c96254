import type { z } from 'zod';
import { decimal, integer, optional, record, text } from '../tolerant.js';
import { namedFlight } from './flight-ids.js';

/**
 * RTK has not converged while a Dock 1 prepares a flight: it waits, and the operator may cancel with
 * `flight_setup_abort`. Nothing is required here, since the method alone says what matters.
 * [Cloud API 1.11, flight_setup_exception_notify]
 */
export interface FlightSetupExceptionNotify {
  /** The dock. */
  readonly sn?: string;
  /** Only in the example, not in the table (quirk M24). */
  readonly flight_id?: string;
  /** Minutes that the dock waits: 2, 4, 6, 8 or 10. */
  readonly timeout_time?: number;
  /** Milliseconds since the epoch by the clock of the dock; typed double (quirk M24). */
  readonly timestamp?: number;
  /** 1 mission, 2 live control. */
  readonly flight_type?: number;
}

export const decodeFlightSetupExceptionNotify: z.ZodType<FlightSetupExceptionNotify> = record(
  {
    sn: optional(text),
    flight_id: optional(text),
    timeout_time: optional(integer),
    timestamp: optional(decimal),
    flight_type: optional(integer),
  },
  namedFlight,
);

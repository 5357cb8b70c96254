import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { flightId } from '../strict.js';
import { name, optional, record, renamed, text } from '../tolerant.js';
import { namedFlight } from './flight-ids.js';
import { decodeStepAndPercent } from './flighttask-progress.js';
import type { FlighttaskStatus } from './flighttask-status.js';

/**
 * How far is the other dock of a leapfrog flight? Dock 2 asks for a flight of `target_sn`, Dock 3 for `sn` alone
 * (quirk M20). [Cloud API 1.11, flighttask_progress_get]
 */
export interface FlighttaskProgressGet {
  /** The dock that is asked about, not the one that asks. */
  readonly sn: string;
  /** Missing: the newest flight of that dock. */
  readonly flight_id?: string;
}

/** The last progress that the other dock reported; for an unknown flight a non-zero result without output. */
export type FlighttaskProgressGetReply = ReplyWith<{
  readonly flight_id: string;
  readonly progress: { readonly current_step?: number; readonly percent?: number };
  readonly status: FlighttaskStatus;
}>;

export const decodeFlighttaskProgressGet: z.ZodType<FlighttaskProgressGet> = record(
  { sn: name, flight_id: optional(text) },
  (value) => namedFlight(renamed(value, 'target_sn', 'sn')),
);

export const decodeFlighttaskProgressGetReply: z.ZodType<FlighttaskProgressGetReply> = replyWith(
  record({ flight_id: name, progress: decodeStepAndPercent, status: text }),
  ['flight_id', 'progress', 'status'],
);

/** What the other dock said last is passed on as it said it: words outside of the list and missing numbers too. */
export const strictFlighttaskProgressGetReply: z.ZodType<FlighttaskProgressGetReply> = strictReplyWith(
  z.object({
    flight_id: flightId,
    progress: z.object({ current_step: z.exactOptional(z.int()), percent: z.exactOptional(z.number()) }),
    status: z.string().min(1),
  }),
);

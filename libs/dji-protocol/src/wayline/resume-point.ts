import { z } from 'zod';
import { decimal, integer, integerOrNone, record } from '../tolerant.js';

/** Where a flight continues. [Cloud API 1.4, flighttask_prepare, break_point] */
export interface ResumePoint {
  /** Index of the waypoint, or of the segment that starts there. */
  readonly index: number;
  /** 0 on a segment, 1 on a waypoint. */
  readonly state: number;
  /** Share of the segment that is done, 0.0 to 1.0. */
  readonly progress: number;
  /** The wayline inside the KMZ; null where the device has none (quirk M17). */
  readonly wayline_id: number | null;
}

export const decodeResumePoint = record({
  index: integer,
  state: integer,
  progress: decimal,
  wayline_id: integerOrNone,
});

/** The ids 65534 and 65535 mean "none" wherever they are reported, so nothing can be resumed there. */
export const strictResumePoint = z.object({
  index: z.int().min(0).max(65533),
  state: z.union([z.literal(0), z.literal(1)]),
  progress: z.number().min(0).max(1),
  wayline_id: z.int().min(0).max(65533),
});

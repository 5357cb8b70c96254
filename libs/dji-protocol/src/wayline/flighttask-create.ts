import { z } from 'zod';
import { flightId, httpUrl, md5, pick, written } from '../strict.js';
import { name, record, text } from '../tolerant.js';
import type { JsonObject } from '../payload.js';

/** Delivers and starts a flight in one message. Deprecated since 1.3.0. [Cloud API 1.1, flighttask_create] */
export interface FlighttaskCreate {
  /** Our mission id. */
  readonly flight_id: string;
  /** Kind of task; `wayline` is the only word ever printed. */
  readonly type: string;
  readonly file: {
    /** http or https. */
    readonly url: string;
    /** MD5 of the KMZ; `fingerprint` in every later message (quirk M11). */
    readonly sign: string;
  };
}

export const decodeFlighttaskCreate: z.ZodType<FlighttaskCreate> = record({
  flight_id: name,
  type: text,
  file: record({ url: name, sign: text }),
});

export const strictFlighttaskCreate = z.object({
  flight_id: flightId,
  type: z.literal('wayline'),
  file: z.object({ url: httpUrl, sign: md5 }),
});

/** Takes the data of a prepare too: the file's `fingerprint` is then written as `sign`. */
export function encodeFlighttaskCreate(data: unknown): JsonObject {
  const given = pick(data, ['flight_id', 'type', 'file']);
  const file = pick(given['file'], ['url', 'sign', 'fingerprint']);
  return written('flighttask_create', strictFlighttaskCreate, {
    flight_id: given['flight_id'],
    type: given['type'] ?? 'wayline',
    file: { url: file['url'], sign: file['sign'] ?? file['fingerprint'] },
  });
}

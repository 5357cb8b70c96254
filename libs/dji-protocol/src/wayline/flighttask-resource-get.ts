import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { name, record } from '../tolerant.js';
import { decodeWaylineFile, strictWaylineFile, type WaylineFile } from './wayline-file.js';

/** The dock asks for the file of a flight, possibly a day after the prepare. [Cloud API 1.3.0, flighttask_resource_get] */
export interface FlighttaskResourceGet {
  readonly flight_id: string;
}

/** A fresh link each time (quirk M27); for an unknown flight a non-zero result without output. */
export type FlighttaskResourceGetReply = ReplyWith<{ readonly file: WaylineFile }>;

export const decodeFlighttaskResourceGet: z.ZodType<FlighttaskResourceGet> = record({ flight_id: name });

export const decodeFlighttaskResourceGetReply: z.ZodType<FlighttaskResourceGetReply> = replyWith(
  record({ file: decodeWaylineFile }),
  ['file'],
);

export const strictFlighttaskResourceGetReply: z.ZodType<FlighttaskResourceGetReply> = strictReplyWith(
  z.object({ file: strictWaylineFile }),
);

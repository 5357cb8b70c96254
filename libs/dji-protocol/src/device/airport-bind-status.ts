import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { MOST_DEVICES } from '../most.js';
import { bool, list, name, optional, record, text } from '../tolerant.js';

/** Are these devices bound to an organisation? One entry when no aircraft is linked. [Cloud API, airport_bind_status] */
export interface AirportBindStatus {
  readonly devices: readonly { readonly sn: string }[];
}

/** For an unknown device: false and empty texts. */
export interface BindStatus {
  readonly sn: string;
  readonly is_device_bind_organization: boolean;
  readonly organization_id?: string;
  readonly organization_name?: string;
  readonly device_callsign?: string;
}

export type AirportBindStatusReply = ReplyWith<{ readonly bind_status: readonly BindStatus[] }>;

export const decodeAirportBindStatus: z.ZodType<AirportBindStatus> = record({
  devices: list(record({ sn: name }), MOST_DEVICES),
});

export const decodeAirportBindStatusReply: z.ZodType<AirportBindStatusReply> = replyWith(
  record({
    bind_status: list(
      record({
        sn: name,
        is_device_bind_organization: bool,
        organization_id: optional(text),
        organization_name: optional(text),
        device_callsign: optional(text),
      }),
      MOST_DEVICES,
    ),
  }),
  ['bind_status'],
);

export const strictAirportBindStatusReply: z.ZodType<AirportBindStatusReply> = strictReplyWith(
  z.object({
    bind_status: z.array(
      z.object({
        sn: z.string().min(1),
        is_device_bind_organization: z.boolean(),
        organization_id: z.string(),
        organization_name: z.string(),
        device_callsign: z.string(),
      }),
    ),
  }),
);

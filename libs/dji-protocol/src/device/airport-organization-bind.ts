import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { MOST_DEVICES } from '../most.js';
import { integer, list, name, optional, record, renamed, text } from '../tolerant.js';

export interface BindDevice {
  /** The tenant's secret. */
  readonly device_binding_code: string;
  readonly organization_id: string;
  /** The name that a person gave the device. */
  readonly device_callsign?: string;
  readonly sn: string;
  /** `domain-type-sub_type`, e.g. `3-2-0`. Some tables call it `product_type` (quirk D11). */
  readonly device_model_key?: string;
}

/** Bind these devices, one or two. [Cloud API, airport_organization_bind] */
export interface AirportOrganizationBind {
  readonly bind_devices: readonly BindDevice[];
}

export interface BindOutcome {
  readonly sn: string;
  /** 0 when bound. */
  readonly err_code: number;
}

export type AirportOrganizationBindReply = ReplyWith<{ readonly err_infos: readonly BindOutcome[] }>;

export const decodeAirportOrganizationBind: z.ZodType<AirportOrganizationBind> = record({
  bind_devices: list(
    record(
      {
        device_binding_code: text,
        organization_id: text,
        device_callsign: optional(text),
        sn: name,
        device_model_key: optional(text),
      },
      (value) => renamed(value, 'product_type', 'device_model_key'),
    ),
    MOST_DEVICES,
  ),
});

export const decodeAirportOrganizationBindReply: z.ZodType<AirportOrganizationBindReply> = replyWith(
  record({ err_infos: list(record({ sn: name, err_code: integer }), MOST_DEVICES) }),
  ['err_infos'],
);

export const strictAirportOrganizationBindReply: z.ZodType<AirportOrganizationBindReply> = strictReplyWith(
  z.object({ err_infos: z.array(z.object({ sn: z.string().min(1), err_code: z.int() })) }),
);

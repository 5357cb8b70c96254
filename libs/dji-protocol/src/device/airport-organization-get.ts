import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { record, text } from '../tolerant.js';

/** What is the organisation behind this code called? [Cloud API, airport_organization_get] */
export interface AirportOrganizationGet {
  /** The tenant's secret: compare in constant time. */
  readonly device_binding_code: string;
  readonly organization_id: string;
}

export type AirportOrganizationGetReply = ReplyWith<{ readonly organization_name: string }>;

export const decodeAirportOrganizationGet: z.ZodType<AirportOrganizationGet> = record({
  device_binding_code: text,
  organization_id: text,
});

export const decodeAirportOrganizationGetReply: z.ZodType<AirportOrganizationGetReply> = replyWith(
  record({ organization_name: text }),
  ['organization_name'],
);

export const strictAirportOrganizationGetReply: z.ZodType<AirportOrganizationGetReply> = strictReplyWith(
  z.object({ organization_name: z.string() }),
);

import { z } from 'zod';

/** One message of a dock as stored in stream DOCK: normalised, with the raw text beside it. */
export const dockFact = z.object({
  v: z.literal(1),
  /** Serial number of the topic: a dock, or an aircraft that its dock speaks for. */
  sn: z.string(),
  topic: z.string(),
  channel: z.string(),
  method: z.string().nullable(),
  tid: z.string().nullable(),
  bid: z.string().nullable(),
  /** The device's own clock, milliseconds since the epoch; null where it sent nothing plausible. */
  timestampMs: z.number().nullable(),
  /** When the ingress received it, milliseconds since the epoch by the ingress's clock. */
  receivedAtMs: z.number(),
  needReply: z.boolean(),
  /** `gateway` of the envelope. */
  gateway: z.string().nullable(),
  /** The normalised body, snake_case as on the wire. */
  data: z.unknown(),
  /** The payload as received, as text. */
  raw: z.string(),
});
export type DockFact = z.infer<typeof dockFact>;

/** What could not be read. */
export const deadLetter = z.object({
  v: z.literal(1),
  topic: z.string(),
  reason: z.string(),
  receivedAtMs: z.number(),
  /** The payload as received, base64, cut at 64 KiB. */
  payloadBase64: z.string(),
  payloadBytes: z.number(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** Telemetry on `osd.v1.<sn>`. */
export const osdFact = z.object({
  v: z.literal(1),
  sn: z.string(),
  gateway: z.string().nullable(),
  timestampMs: z.number().nullable(),
  receivedAtMs: z.number(),
  data: z.record(z.string(), z.unknown()),
});
export type OsdFact = z.infer<typeof osdFact>;

import { z } from 'zod';

const version = z.literal(1).describe('Version of this form.');

/** One message of a dock as stored in stream DOCK: normalised, with the raw text beside it. */
export const dockFact = z.object({
  v: version,
  sn: z.string().describe('Serial number of the topic: a dock, or an aircraft that its dock speaks for.'),
  topic: z.string().describe('MQTT topic on which it came.'),
  channel: z.string().describe('Tail of the topic, e.g. events.'),
  method: z.string().nullable().describe("The vendor's name of the message; null on channels that have none."),
  tid: z.string().nullable().describe('Transaction: a request and its reply have the same.'),
  bid: z.string().nullable().describe('The whole job that the message belongs to.'),
  timestampMs: z
    .number()
    .nullable()
    .describe("The device's own clock, milliseconds since the epoch; null where it sent nothing plausible."),
  receivedAtMs: z
    .number()
    .describe("When the ingress received it, milliseconds since the epoch by the ingress's clock."),
  needReply: z.boolean().describe('Whether the device asked for an answer.'),
  gateway: z.string().nullable().describe('`gateway` of the envelope.'),
  data: z.unknown().describe('The normalised body, snake_case as on the wire.'),
  raw: z.string().describe('The payload as received, as text.'),
});
export type DockFact = z.infer<typeof dockFact>;

/** What could not be read. */
export const deadLetter = z.object({
  v: version,
  topic: z.string().describe('MQTT topic on which it came.'),
  reason: z.string().describe('Why it could not be read.'),
  receivedAtMs: z.number().describe('When it was received, milliseconds since the epoch.'),
  payloadBase64: z.string().describe('The payload as received, base64, cut at 64 KiB.'),
  payloadBytes: z.number().describe('How long the payload was before it was cut, bytes.'),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** Telemetry on `osd.v1.<sn>`. */
export const osdFact = z.object({
  v: version,
  sn: z.string().describe('Serial number of the topic: a dock or an aircraft.'),
  gateway: z.string().nullable().describe('`gateway` of the envelope.'),
  timestampMs: z.number().nullable().describe("The device's own clock, milliseconds since the epoch."),
  receivedAtMs: z.number().describe('When the ingress received it, milliseconds since the epoch.'),
  data: z.record(z.string(), z.unknown()).describe("Properties under the vendor's names."),
});
export type OsdFact = z.infer<typeof osdFact>;

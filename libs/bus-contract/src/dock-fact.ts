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

/** Telemetry on `osd.v1.<sn>`, for a fleet-service of the release before. */
export const osdFact = z.object({
  v: version,
  sn: z.string().describe('Serial number of the topic: a dock or an aircraft.'),
  gateway: z.string().nullable().describe('`gateway` of the envelope.'),
  timestampMs: z.number().nullable().describe("The device's own clock, milliseconds since the epoch."),
  receivedAtMs: z.number().describe('When the ingress received it, milliseconds since the epoch.'),
  data: z.record(z.string(), z.unknown()).describe("Properties under the vendor's names."),
});
export type OsdFact = z.infer<typeof osdFact>;

/** What an operator is told of how a dock speaks. */
export const DOCK_NOTES = {
  flat_properties:
    'The dock sends osd or state with its properties beside the envelope instead of under data. They are read all the same; update its firmware or its software.',
  unreadable_telemetry:
    'The dock sends osd messages that cannot be read, so what they would say is unknown. See the detail for the reason.',
  foreign_flight:
    'The dock reports a flight that was not planned here. It is busy with it; nothing is started meanwhile.',
  unknown_flight_status:
    'The dock reports its flights in status words that are not known, so that their end cannot be read from them.',
  over_budget:
    'The dock sends more than its share. Telemetry is left out first, then other messages, so that no other dock has to wait; replies, reports of flights and topologies are taken all the same. See the detail for what was last over the share.',
  store_full:
    'What the dock says for a service that has stood still for long is kept aside, and can be stored again; beyond its share of that it is left out. Flights do not wait for it. See the detail for which service, and what was last done.',
} as const;
export type DockNoteCode = keyof typeof DOCK_NOTES;

/** How a dock speaks, where an operator has to know it, on `note.v1.<sn>`. Lost is lost: it is said again. */
export const dockNote = z.object({
  v: version,
  sn: z.string().describe('Serial number of the topic: a dock, or an aircraft that its dock speaks for.'),
  code: z.string().describe('What is noted. Codes that a program does not know are ignored.'),
  detail: z.string().nullable().describe('What exactly, e.g. the id of a flight. Null: the code says it all.'),
  count: z.number().describe('How many messages since the last note of this code.'),
  atMs: z.number().describe('When the last of them was received, milliseconds since the epoch.'),
});
export type DockNote = z.infer<typeof dockNote>;

/** A device stays far over its budget, on `flood.v1.<sn>`. Lost is lost: it is said again while it lasts. */
export const dockFlood = z.object({
  v: version,
  sn: z.string().describe('Serial number of the topic: a dock, or an aircraft that its dock speaks for.'),
  ingressId: z.string().describe('The replica that measured it; each replica sees a part of what a dock sends.'),
  sinceMs: z
    .number()
    .describe('Since when it has been far over its budget without a pause, milliseconds since the epoch.'),
  atMs: z.number().describe('When it last was, milliseconds since the epoch.'),
  messagesPerSecond: z.number().describe('What it sent in that time to this replica, messages a second.'),
  bytesPerSecond: z.number().describe('The same in bytes a second.'),
});
export type DockFlood = z.infer<typeof dockFlood>;

/** What an ingress says every two seconds of its connections that bring control messages, on `ingress.v1.links`. */
export const ingressLinks = z.object({
  v: version,
  ingressId: z.string().describe('The replica that says it.'),
  links: z
    .array(z.string().min(1).max(200))
    .max(64)
    .describe('Client ids of all of them. None: it leaves in order, and nothing waits for it.'),
  connected: z.array(z.string().min(1).max(200)).max(64).describe('Client ids of those that are connected now.'),
});
export type IngressLinks = z.infer<typeof ingressLinks>;

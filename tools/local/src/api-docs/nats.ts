import * as contract from '@aerie/bus-contract';
import {
  CONSUMERS,
  LOG_FACTS,
  MISSION_FACTS,
  NO_METHOD,
  NO_SN,
  type Question,
  RETIRED_CONSUMERS,
  STREAMS,
  deadLetter,
  deadLetterSubject,
  dockFact,
  dockFlood,
  INGRESS_LINKS_SUBJECT,
  ingressLinks,
  factSubject,
  floodSubject,
  dockNote,
  noteSubject,
  overflowSubject,
  osdFact,
  RECEIVED_AT_HEADER,
  osdSubject,
  rawOsdSubject,
  uplinkSubjects,
} from '@aerie/bus-contract';
import { z } from 'zod';
import { jsonSchema } from './json-schema.js';
import { type Json, type Part, channelMessageRef, channelRef, messageRef, serverRef } from './types.js';

const SERVER = 'nats';
const MESSAGE = 'message';

interface Subject {
  readonly name: string;
  readonly address: string;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly summary: string;
  readonly schema: z.ZodType;
  readonly sender: string;
  /** None: not stored. */
  readonly streams: readonly string[];
}

const SN = { description: 'Serial number, or `_none` where not even the topic could be read.' };
const organisation = { description: 'Id of the organisation.' };

const FACT_SUMMARIES: Readonly<Record<contract.MissionFactName, string>> = {
  created: 'A mission was planned.',
  stateChanged: 'A mission went from one state to another.',
  resolved: 'It became known how a mission ended whose outcome was unknown.',
  dockNeeded: 'A mission was planned over an export of logs, which must end before.',
  alarm: 'A dock told something that a person may have to act on.',
};

const LOG_FACT_SUMMARIES: Readonly<Record<contract.LogFactName, string>> = {
  uploadStateChanged: 'A log upload went from one state to another.',
  fileStored: 'An archive of logs was seen in the storage.',
  campaignStateChanged: 'A campaign went from one state to another.',
  alarm: 'A dock claims to have written where it had no leave to.',
};

const UPLINK_PARAMETERS = {
  sn: { description: 'Serial number of the topic.' },
  kind: { enum: ['events', 'requests', 'replies', 'status', 'state'], description: 'What kind of message it is.' },
  method: { description: `The vendor's name of the message, \`${NO_METHOD}\` where it has none.` },
};
const BULK_OWNER = {
  enum: ['fleet', 'log', 'credential', 'none'],
  description: 'The service that it is for. `none`: nobody knows the method, and fleet-service keeps it.',
};
// The type knows all owners and kinds; in an address they are parameters.
const [bulkAddress = ''] = uplinkSubjects('{owner}' as never, '{sn}', '{kind}' as never, '{method}');

const BULK_STREAMS = [contract.BULK_FLEET_STREAM, contract.BULK_LOG_STREAM, contract.BULK_CREDENTIAL_STREAM].map(
  ({ name }) => name,
);

const SUBJECTS: readonly Subject[] = [
  {
    name: 'dock.v1',
    address: bulkAddress.replace('bulk', 'dock'),
    parameters: {
      owner: { enum: ['mission', 'fleet'], description: 'The service that it is for.' },
      ...UPLINK_PARAMETERS,
    },
    summary: 'One message of a dock that a flight, or a dock on its way online, waits for, stored before its PUBACK.',
    schema: dockFact,
    sender: 'mqtt-ingress',
    streams: [contract.DOCK_STREAM.name],
  },
  {
    name: 'bulk.v1',
    address: bulkAddress,
    parameters: { owner: BULK_OWNER, ...UPLINK_PARAMETERS },
    summary:
      'One message of a dock that no flight waits for, stored before its PUBACK in the stream of its owner. A reply without a method is here and under dock.v1.',
    schema: dockFact,
    sender: 'mqtt-ingress',
    streams: BULK_STREAMS,
  },
  {
    name: 'overflow.v1',
    address: overflowSubject(bulkAddress),
    parameters: { owner: BULK_OWNER, ...UPLINK_PARAMETERS },
    summary: 'What a full stream of bulk.v1 refused, as it would have been stored there.',
    schema: dockFact,
    sender: 'mqtt-ingress',
    streams: [contract.OVERFLOW_STREAM.name],
  },
  {
    name: 'osd.v1',
    address: osdSubject('{sn}'),
    parameters: { sn: { description: 'Serial number of a dock or of an aircraft.' } },
    summary:
      'Telemetry for a fleet-service of the release before, while no other listens. Not stored: the freshest wins.',
    schema: osdFact,
    sender: 'mqtt-ingress',
    streams: [],
  },
  {
    name: 'osd.v2',
    address: rawOsdSubject('{sn}'),
    parameters: { sn: { description: 'Serial number of a dock or of an aircraft.' } },
    summary: `Telemetry, the payload as it came; header \`${RECEIVED_AT_HEADER}\` says when. Not stored: the freshest wins.`,
    schema: z.record(z.string(), z.unknown()).describe('As the device sent it; it may be no JSON at all.'),
    sender: 'mqtt-ingress',
    streams: [],
  },
  {
    name: 'note.v1',
    address: noteSubject('{sn}'),
    parameters: { sn: { description: 'Serial number of a dock or of an aircraft.' } },
    summary: 'How a dock speaks, where an operator has to know it. Not stored: it is said again.',
    schema: dockNote,
    sender: 'mqtt-ingress, fleet-service, mission-service, log-service',
    streams: [],
  },
  {
    name: 'flood.v1',
    address: floodSubject('{sn}'),
    parameters: { sn: { description: 'Serial number of a dock or of an aircraft.' } },
    summary: 'A device stays far over its budget. Not stored: it is said again while it lasts.',
    schema: dockFlood,
    sender: 'mqtt-ingress',
    streams: [],
  },
  {
    name: 'ingress.v1.links',
    address: INGRESS_LINKS_SUBJECT,
    parameters: {},
    summary:
      'Which connections to the broker an ingress has, every two seconds: what a replica that is gone leaves behind is taken over by another. Not stored.',
    schema: ingressLinks,
    sender: 'mqtt-ingress',
    streams: [],
  },
  {
    name: 'dead.v1',
    address: deadLetterSubject('{sn}'),
    parameters: { sn: { ...SN, examples: [NO_SN] } },
    summary: 'What could not be read, kept with the reason.',
    schema: deadLetter,
    sender: 'mqtt-ingress, mission-service, fleet-service, credential-service, log-service',
    streams: [contract.DEAD_LETTER_STREAM.name],
  },
  ...Object.entries(MISSION_FACTS).map(([event, schema]) => ({
    name: `mission.v1.${event}`,
    address: factSubject('mission', '{organisation}', event),
    parameters: { organisation },
    summary: FACT_SUMMARIES[event as contract.MissionFactName],
    schema,
    sender: 'mission-service',
    streams: [contract.FACTS_STREAM.name],
  })),
  ...Object.entries(LOG_FACTS).map(([event, schema]) => ({
    name: `log.v1.${event}`,
    address: factSubject('log', '{organisation}', event),
    parameters: { organisation },
    summary: LOG_FACT_SUMMARIES[event as contract.LogFactName],
    schema,
    sender: 'log-service',
    streams: [contract.FACTS_STREAM.name],
  })),
];

/** Every question there is: one that is added to the contract is in the document, too. */
export const QUESTIONS = Object.values(contract as Readonly<Record<string, unknown>>)
  .filter((entry): entry is Question<unknown, unknown> => typeof entry === 'object' && entry !== null && 'ask' in entry)
  .sort((one, other) => (one.subject < other.subject ? -1 : 1));

/** Subjects, facts and questions on the bus between the services. */
export function natsPart(): Part {
  return {
    channels: Object.fromEntries([
      ...SUBJECTS.map((subject) => [subject.name, channelOf(subject)] as const),
      ...QUESTIONS.flatMap(questionChannels),
    ]),
    operations: Object.fromEntries([
      ...SUBJECTS.map((subject) => [`send.${subject.name}`, operationOf(subject)] as const),
      ...QUESTIONS.map((question) => [`answer.${question.subject}`, questionOperation(question)] as const),
    ]),
    messages: Object.fromEntries([
      ...SUBJECTS.map((subject) => [subject.name, messageOf(subject)] as const),
      ...QUESTIONS.flatMap(questionMessages),
    ]),
  };
}

/** How JetStream keeps what is stored, in our own terms; `messaging` declares it so. */
export const streamsExtension = (): Json => ({
  'x-streams': STREAMS,
  'x-consumers': CONSUMERS,
  'x-retired-consumers': RETIRED_CONSUMERS,
});

const channelOf = ({ name, address, parameters, summary, sender, streams }: Subject): Json => ({
  address,
  title: name,
  description: `${summary} Sent by ${sender}.`,
  servers: [serverRef(SERVER)],
  parameters,
  messages: { [MESSAGE]: messageRef(name) },
  ...(streams.length === 0 ? {} : { 'x-stream': streams.join(', ') }),
});

const messageOf = ({ name, summary, schema }: Subject): Json => ({
  name,
  title: name,
  summary,
  contentType: 'application/json',
  payload: jsonSchema(schema),
});

const operationOf = ({ name, summary, sender, streams }: Subject): Json => ({
  action: 'send',
  channel: channelRef(name),
  summary,
  messages: [channelMessageRef(name, MESSAGE)],
  'x-sender': sender,
  'x-consumers': CONSUMERS.filter(
    ({ stream }) => streams.includes(stream) && (name === 'dock.v1' || name === 'bulk.v1'),
  ).map(({ durable }) => durable),
});

const answersTo = (subject: string): string => `${subject}.answer`;

/** Who answers, by the subject: `ask.<service>.v1.…`, and the ingress under its own name. */
function answererOf(subject: string): string {
  const [first = '', second = ''] = subject.split('.');
  return first === 'ask' ? `${second}-service` : `mqtt-${first}`;
}

const questionChannels = ({ subject, timeoutMs }: Question<unknown, unknown>): (readonly [string, Json])[] => [
  [
    subject,
    {
      address: subject,
      title: subject,
      description: `A question to ${answererOf(subject)}, request and reply over core NATS. Never stored, never repeated by itself.`,
      servers: [serverRef(SERVER)],
      messages: { ask: messageRef(subject) },
      'x-timeout-ms': timeoutMs,
    },
  ],
  [
    answersTo(subject),
    {
      // The inbox of the asker, which NATS names.
      address: null,
      title: `${subject}, answer`,
      servers: [serverRef(SERVER)],
      messages: { answer: messageRef(answersTo(subject)) },
    },
  ],
];

const questionOperation = ({ subject }: Question<unknown, unknown>): Json => ({
  action: 'receive',
  channel: channelRef(subject),
  summary: `${answererOf(subject)} answers ${subject}.`,
  messages: [channelMessageRef(subject, 'ask')],
  reply: { channel: channelRef(answersTo(subject)), messages: [channelMessageRef(answersTo(subject), 'answer')] },
  'x-answered-by': answererOf(subject),
});

/** The packets of Nest's NATS transport around a question and its answer. */
const questionMessages = ({ subject, ask, answer }: Question<unknown, unknown>): (readonly [string, Json])[] => [
  [
    subject,
    {
      name: subject,
      title: subject,
      contentType: 'application/json',
      payload: packet({
        pattern: { const: subject, description: 'The subject again.' },
        data: { ...jsonSchema(ask), description: 'What is asked.' },
        id: { type: 'string', description: 'Given back with the answer.' },
      }),
    },
  ],
  [
    answersTo(subject),
    {
      name: answersTo(subject),
      title: `${subject}, answer`,
      contentType: 'application/json',
      payload: {
        type: 'object',
        properties: {
          response: { ...jsonSchema(answer), description: 'The answer.' },
          err: { description: 'Instead of an answer: what went wrong.' },
          isDisposed: { type: 'boolean', description: 'Nothing follows.' },
          id: { type: 'string', description: 'As it was asked.' },
        },
      },
    },
  ],
];

const packet = (properties: Readonly<Record<string, Json>>): Json => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

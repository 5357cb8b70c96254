import {
  CHANNELS,
  type Channel,
  METHODS,
  type Method,
  directionOf,
  isReplyChannel,
  replyChannelOf,
  topicFor,
  uplinkFilters,
} from '@aerie/dji-protocol';
import { jsonSchema } from './json-schema.js';
import { envelope } from './mqtt-envelope.js';
import { type Json, type Part, channelMessageRef, channelRef, messageRef, serverRef } from './types.js';

const SERVER = 'mqtt';
/** Stands for the serial number in addresses. */
const PLACEHOLDER = '{gateway_sn}';

const WHAT: Readonly<Record<Channel, string>> = {
  osd: 'Telemetry of a dock or of an aircraft, each half second to two seconds. May be lost.',
  state: 'Properties of a device that have changed.',
  state_reply: 'Answers to changed properties, where the device asks for one.',
  services: 'Commands of the cloud.',
  services_reply: 'Answers of docks to commands.',
  events: 'What docks report.',
  events_reply: 'Answers to reports, where the dock asks for one.',
  requests: 'What docks ask of the cloud.',
  requests_reply: 'Answers to what docks ask.',
  'property/set': 'Settings of a device. Aerie writes none yet.',
  'property/set_reply': 'Answers to settings.',
  'drc/up': 'Live control, upwards. Aerie does not use it.',
  'drc/down': 'Live control, downwards. Aerie does not use it.',
  status: 'Topology: which aircraft is with a dock.',
  status_reply: 'Answers to topology.',
};

const nameOf = (channel: Channel): string => channel.replace('/', '.');
const methodsOf = (channel: Channel): readonly Method[] =>
  METHODS.filter((entry) => entry.channel === channel || replyChannelOf(entry.channel) === channel);

/** Channels without methods carry one kind of message. */
const PLAIN = 'message';
const messageName = (channel: Channel, method: string): string => `${nameOf(channel)}.${method}`;
const namesOn = (channel: Channel): string[] => {
  const methods = methodsOf(channel).map(({ method }) => method);
  return methods.length > 0 ? methods : [PLAIN];
};

/** Every topic of a dock and every message that is known there, from the table in dji-protocol. */
export function mqttPart(): Part {
  return {
    channels: Object.fromEntries(CHANNELS.map((channel) => [nameOf(channel), channelOf(channel)])),
    operations: Object.fromEntries([...METHODS.map(operationOf), ...plainOperations()]),
    messages: Object.fromEntries(CHANNELS.flatMap(messagesOf)),
  };
}

const channelOf = (channel: Channel): Json => ({
  address: topicFor(channel, PLACEHOLDER),
  title: channel,
  description: `${WHAT[channel]} ${directionOf(channel) === 'up' ? 'A device publishes, Aerie subscribes.' : 'Aerie publishes, a device subscribes.'}`,
  servers: [serverRef(SERVER)],
  parameters: { gateway_sn: { description: 'Serial number of the device: a dock, or its aircraft on osd and state.' } },
  messages: Object.fromEntries(namesOn(channel).map((name) => [name, messageRef(messageName(channel, name))])),
});

function messagesOf(channel: Channel): (readonly [string, Json])[] {
  const methods = methodsOf(channel);
  if (methods.length > 0)
    return methods.map((entry) => [messageName(channel, entry.method), messageOf(channel, entry)]);
  const anything = { type: 'object', description: "Whatever the device has, under the vendor's names." };
  return [
    [
      messageName(channel, PLAIN),
      { name: nameOf(channel), title: channel, summary: WHAT[channel], ...carrying(envelope(channel, null, anything)) },
    ],
  ];
}

const carrying = (payload: Json): Json => ({
  contentType: 'application/json',
  correlationId: { location: '$message.payload#/tid' },
  payload,
});

function messageOf(channel: Channel, entry: Method): Json {
  const { method, models, since, source, owner } = entry;
  const reply = isReplyChannel(channel);
  return {
    name: method,
    title: reply ? `${method} reply` : method,
    summary: reply ? `Answer to ${method}.` : `${source}.`,
    description: `For ${models.join(', ')}; since Cloud API ${since}. ${formOf(channel)}`,
    tags: [{ name: owner }],
    ...carrying(envelope(channel, method, { ...dataOf(entry, reply), description: 'What it says.' })),
    'x-models': models,
    'x-since': since,
    'x-source': `DJI Cloud API, ${source}`,
    'x-owner': `${owner}-service`,
  };
}

const formOf = (channel: Channel): string =>
  directionOf(channel) === 'down'
    ? 'Written in exactly this form, without the members that the model or the firmware does not know.'
    : 'Read tolerantly: other spellings of the vendor, digits as text and further members are taken as well.';

function dataOf(entry: Method, reply: boolean): Json {
  const cloudWrites = (directionOf(entry.channel) === 'down') !== reply;
  if (reply) return jsonSchema(cloudWrites ? entry.strictReply : entry.decodeReply);
  return jsonSchema(cloudWrites ? (entry.strictRequest ?? entry.decodeRequest) : entry.decodeRequest);
}

/** A request and its reply. A command is never sent a second time by the transport. */
function operationOf({ channel, method, direction }: Method): readonly [string, Json] {
  const reply = replyChannelOf(channel);
  const sent = direction === 'down';
  return [
    `${sent ? 'send' : 'receive'}.${method}`,
    {
      action: sent ? 'send' : 'receive',
      channel: channelRef(nameOf(channel)),
      summary: sent ? `Tell a dock: ${method}.` : `Hear of a dock: ${method}.`,
      messages: [channelMessageRef(nameOf(channel), method)],
      bindings: { mqtt: { qos: 1, retain: false } },
      ...(reply === null
        ? {}
        : { reply: { channel: channelRef(nameOf(reply)), messages: [channelMessageRef(nameOf(reply), method)] } }),
    },
  ];
}

/** What is subscribed beside the messages that have a method. */
function plainOperations(): (readonly [string, Json])[] {
  const { control, telemetry } = uplinkFilters();
  const subscribed = CHANNELS.filter((channel) => [...control, ...telemetry].includes(topicFor(channel, '+')));
  const plain = subscribed.filter((channel) => methodsOf(channel).length === 0);
  return plain.map((channel) => {
    const reply = isReplyChannel(channel) ? null : replyChannelOf(channel);
    return [
      `receive.${nameOf(channel)}`,
      {
        action: 'receive',
        channel: channelRef(nameOf(channel)),
        summary: WHAT[channel],
        messages: [channelMessageRef(nameOf(channel), PLAIN)],
        bindings: { mqtt: { qos: telemetry.includes(topicFor(channel, '+')) ? 0 : 1, retain: false } },
        ...(reply === null
          ? {}
          : { reply: { channel: channelRef(nameOf(reply)), messages: [channelMessageRef(nameOf(reply), PLAIN)] } }),
      },
    ] as const;
  });
}

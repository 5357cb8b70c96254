import { isSerialNumber } from '@aerie/kernel';

/** Every kind of message, named as the tail of its topic. [Cloud API, topic definition] */
export const CHANNELS = [
  'osd',
  'state',
  'state_reply',
  'services',
  'services_reply',
  'events',
  'events_reply',
  'requests',
  'requests_reply',
  'property/set',
  'property/set_reply',
  'drc/up',
  'drc/down',
  'status',
  'status_reply',
] as const;

export type Channel = (typeof CHANNELS)[number];
/** `up`: a device speaks. `down`: the cloud speaks. */
export type Direction = 'up' | 'down';
/** The channels whose messages carry a method and may be answered. */
export type BaseChannel = 'services' | 'events' | 'requests' | 'status';
export type ReplyChannel = `${BaseChannel}_reply`;

export interface ParsedTopic {
  readonly sn: string;
  readonly channel: Channel;
  readonly direction: Direction;
}

export type TopicResult =
  ({ readonly accepted: true } & ParsedTopic) | { readonly accepted: false; readonly reason: string };

export interface TopicOptions {
  /** Accept `{pid}`, `#{pid}`, `{gateway_sn}`, `{device_sn}`, `{dock_sn}` and their kin as a serial number: documents print them (quirk E14). */
  readonly allowPlaceholders?: boolean;
}

const THING = 'thing/product/';
const SYS = 'sys/product/';
const PLACEHOLDER = /^#?\{(?:pid|sn|[a-z]+_sn)\}$/;

const DIRECTIONS: Readonly<Record<Channel, Direction>> = {
  osd: 'up',
  state: 'up',
  state_reply: 'down',
  services: 'down',
  services_reply: 'up',
  events: 'up',
  events_reply: 'down',
  requests: 'up',
  requests_reply: 'down',
  'property/set': 'down',
  'property/set_reply': 'up',
  'drc/up': 'up',
  'drc/down': 'down',
  status: 'up',
  status_reply: 'down',
};

/** Where the answer to a message goes; channels that are missing here have no answer. */
const REPLIES: Readonly<Partial<Record<Channel, Channel>>> = {
  state: 'state_reply',
  services: 'services_reply',
  events: 'events_reply',
  requests: 'requests_reply',
  'property/set': 'property/set_reply',
  status: 'status_reply',
};

const BASES: Readonly<Partial<Record<Channel, BaseChannel>>> = {
  services: 'services',
  services_reply: 'services',
  events: 'events',
  events_reply: 'events',
  requests: 'requests',
  requests_reply: 'requests',
  status: 'status',
  status_reply: 'status',
};

const SYS_CHANNELS: ReadonlySet<string> = new Set<Channel>(['status', 'status_reply']);
const THING_CHANNELS: ReadonlySet<string> = new Set(CHANNELS.filter((channel) => !SYS_CHANNELS.has(channel)));

const prefixOf = (channel: Channel): string => (SYS_CHANNELS.has(channel) ? SYS : THING);

const refused = (reason: string): TopicResult => ({ accepted: false, reason });
/** Reasons are stored and shown: a topic of any length must not travel in one. */
const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Whether a text stands for a serial number in printed examples (quirk E14). */
export const isPlaceholder = (text: string): boolean => PLACEHOLDER.test(text);

export function parseTopic(topic: string, options: TopicOptions = {}): TopicResult {
  if (typeof topic !== 'string') return refused('topic: expected a string');
  const prefix = topic.startsWith(THING) ? THING : topic.startsWith(SYS) ? SYS : null;
  if (prefix === null) return refused(`topic ${quoted(topic)} is not one of a dock`);

  const slash = topic.indexOf('/', prefix.length);
  if (slash === -1) return refused(`topic ${quoted(topic)} names no channel`);
  const sn = topic.slice(prefix.length, slash);
  if (!isSerialNumber(sn) && !(options.allowPlaceholders === true && isPlaceholder(sn))) {
    return refused(`topic: ${quoted(sn)} is not a serial number`);
  }

  const channel = topic.slice(slash + 1);
  const known = prefix === SYS ? SYS_CHANNELS : THING_CHANNELS;
  if (!known.has(channel)) return refused(`topic: ${quoted(channel)} is not a channel`);
  return { accepted: true, sn, channel: channel as Channel, direction: DIRECTIONS[channel as Channel] };
}

/** The topic of one device. The serial number must have been checked: it comes from our own tables. */
export const topicFor = (channel: Channel, sn: string): string => `${prefixOf(channel)}${sn}/${channel}`;

export const directionOf = (channel: Channel): Direction => DIRECTIONS[channel];

/** The channel on which a message of this channel is answered, or null when nobody answers there. */
export const replyChannelOf = (channel: Channel): Channel | null => REPLIES[channel] ?? null;

/** The channel that a method is registered under: `services_reply` belongs to `services`. */
export const baseChannelOf = (channel: Channel): BaseChannel | null => BASES[channel] ?? null;

export const isReplyChannel = (channel: Channel): boolean => channel.endsWith('_reply');

/** What the cloud subscribes, without any `$share` prefix. Control must be stored; telemetry may be lost. */
export function uplinkFilters(): { readonly control: readonly string[]; readonly telemetry: readonly string[] } {
  const control: Channel[] = ['status', 'state', 'events', 'requests', 'services_reply', 'property/set_reply'];
  return { control: control.map((channel) => topicFor(channel, '+')), telemetry: [topicFor('osd', '+')] };
}

import { createRequire } from 'node:module';
import { CHANNELS, METHODS, directionOf, topicFor } from '@aerie/dji-protocol';
import { CONSUMERS, STREAMS } from '@aerie/bus-contract';
import { asyncApi } from './asyncapi.js';
import { QUESTIONS } from './nats.js';

interface Diagnostic {
  readonly severity: number;
  readonly message: string;
  readonly path: readonly (string | number)[];
}
interface ParserModule {
  readonly Parser: new () => { validate(text: string): Promise<readonly Diagnostic[]> };
}
// A CommonJS library of many files: required, its names need not be guessed.
const { Parser } = createRequire(import.meta.url)('@asyncapi/parser') as ParserModule;

const ERROR = 0;
const errorsOf = async (document: unknown): Promise<string[]> =>
  (await new Parser().validate(JSON.stringify(document)))
    .filter(({ severity }) => severity === ERROR)
    .map(({ path, message }) => `${path.join('/')}: ${message}`);

interface Operation {
  readonly action: string;
  readonly channel: { readonly $ref: string };
  readonly messages: readonly unknown[];
  readonly reply?: { readonly channel: { readonly $ref: string }; readonly messages: readonly unknown[] };
}
interface Document {
  readonly channels: Readonly<Record<string, { readonly address: string | null; readonly messages: object }>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload: { properties: Properties } }>>;
  };
  readonly [member: string]: unknown;
}
type Properties = Readonly<Record<string, { readonly [member: string]: unknown }>>;
interface Spoilt {
  readonly info: Record<string, unknown>;
  readonly operations: Record<string, unknown>;
  readonly components: { readonly messages: Record<string, unknown> };
}
const document = JSON.parse(JSON.stringify(asyncApi())) as Document;
const addresses = Object.values(document.channels).map(({ address }) => address);

describe('the AsyncAPI document', () => {
  it('is valid, by the parser of AsyncAPI', async () => {
    expect(await errorsOf(document)).toEqual([]);
  }, 60_000);

  it.each<[string, (broken: Spoilt) => unknown]>([
    ['a property that AsyncAPI does not have', (broken) => (broken.info['unheardOf'] = {})],
    ['a payload of no known type', (broken) => (broken.components.messages['osd.v1'] = { payload: { type: 'strng' } })],
    [
      'an operation on a channel that is not there',
      (broken) => (broken.operations['send.osd.v1'] = { action: 'send', channel: { $ref: '#/channels/nowhere' } }),
    ],
  ])(
    'would be refused with %s',
    async (_what, spoil) => {
      const broken = JSON.parse(JSON.stringify(document)) as Spoilt;
      spoil(broken);
      expect(await errorsOf(broken)).not.toEqual([]);
    },
    60_000,
  );

  it.each(CHANNELS)('has the topic of %s', (channel) => {
    expect(addresses).toContain(topicFor(channel, '{gateway_sn}'));
  });

  it.each(METHODS)('has $method with its reply, in its direction', ({ method, channel, direction }) => {
    const operation = document.operations[`${direction === 'down' ? 'send' : 'receive'}.${method}`];
    expect(operation).toMatchObject({
      action: directionOf(channel) === 'down' ? 'send' : 'receive',
      channel: { $ref: `#/channels/${channel}` },
      messages: [{ $ref: `#/channels/${channel}/messages/${method}` }],
      reply: { messages: [{ $ref: `#/channels/${channel}_reply/messages/${method}` }] },
    });
  });

  it('writes commands strictly, and says what a decoder gives of a report', () => {
    const dataOf = (name: string) => document.components.messages[name]?.payload.properties['data'];
    expect(dataOf('services.flighttask_prepare')).toMatchObject({
      required: expect.arrayContaining(['flight_id', 'rth_altitude']),
      properties: { rth_altitude: { type: 'integer', minimum: 20, maximum: 1500 } },
    });
    expect(dataOf('events.flighttask_progress')).toMatchObject({
      properties: { output: { properties: { progress: { properties: { percent: { type: 'number' } } } } } },
    });
  });

  it.each(QUESTIONS)('has the question $subject with its answer', ({ subject }) => {
    expect(addresses).toContain(subject);
    expect(document.operations[`answer.${subject}`]?.reply?.channel).toEqual({ $ref: `#/channels/${subject}.answer` });
  });

  it.each([
    'dock.v1.{owner}.{sn}.{kind}.{method}',
    'bulk.v1.{owner}.{sn}.{kind}.{method}',
    'overflow.v1.{owner}.{sn}.{kind}.{method}',
    'osd.v1.{sn}',
    'osd.v2.{sn}',
    'dead.v1.{sn}',
    'mission.v1.{organisation}.created',
    'mission.v1.{organisation}.stateChanged',
    'mission.v1.{organisation}.resolved',
    'mission.v1.{organisation}.alarm',
    'ingress.v1.send',
  ])('has the subject %s', (subject) => {
    expect(addresses).toContain(subject);
  });

  it('tells the limits of every stream and consumer', () => {
    expect(document['x-streams']).toEqual(STREAMS);
    expect(document['x-consumers']).toEqual(CONSUMERS);
  });

  it('describes every field of what the services say to each other', () => {
    const bus = Object.entries(document.components.messages).filter(([name]) => /^(\w+\.v1|ask\.)/.test(name));
    const undescribed = bus.flatMap(([name, { payload }]) => undescribedIn(payload).map((field) => `${name} ${field}`));
    expect(bus.length).toBeGreaterThan(10);
    expect(undescribed).toEqual([]);
  });
});

function undescribedIn(schema: unknown, at = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { properties?: Properties };
  const bare = Object.entries(properties).filter(([, field]) => typeof field['description'] !== 'string');
  const inside = Object.entries(schema).flatMap(([key, inner]) =>
    key === 'properties' ? [] : undescribedIn(inner, at),
  );
  const fields = Object.entries(properties).flatMap(([name, field]) => undescribedIn(field, `${at}/${name}`));
  return [...bare.map(([name]) => `${at}/${name}`), ...inside, ...fields];
}

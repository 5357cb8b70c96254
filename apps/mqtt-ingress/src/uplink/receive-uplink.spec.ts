import type { DeadLetter, DockFact } from '@aerie/bus-contract';
import { Metrics, type SpanMaker, createLogger, traceWith } from '@aerie/observability';
import { type AnswerTo, ReceiveUplink } from './receive-uplink.js';

interface Stored {
  readonly subject: string;
  readonly body: string;
  readonly messageId: string;
  readonly mayWait: boolean;
}

const SN = 'DOCK-1';
const RECEIVED_AT_MS = Date.UTC(2030, 0, 1);

let stored: Stored[];
let answers: { to: AnswerTo; data: { readonly result: number } }[];
let notes: string[];
let storeFails: boolean;
let receiver: ReceiveUplink;
let metrics: Metrics;

beforeEach(() => {
  stored = [];
  answers = [];
  notes = [];
  storeFails = false;
  metrics = new Metrics('test');
  receiver = new ReceiveUplink(
    async (subject, body, messageId, mayWait) => {
      if (storeFails) throw new Error('JetStream does not answer');
      stored.push({ subject, body, messageId, mayWait });
    },
    (to, data) => void answers.push({ to, data }),
    { note: (sn, code) => void notes.push(`${sn} ${code}`) },
    createLogger('test', 'silent'),
    metrics,
  );
});

const receive = (
  channel: string,
  payload: object | string,
  { retain = false, topic = `thing/product/${SN}/${channel}`, atMs = RECEIVED_AT_MS } = {},
) =>
  receiver.receive(
    { topic, retain, payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)) },
    atMs,
  );
const anEvent = (method: string, more: object = {}) => ({
  bid: 'bid-1',
  tid: 'tid-1',
  timestamp: RECEIVED_AT_MS,
  gateway: SN,
  method,
  data: { anything: 1 },
  ...more,
});
const fact = (): DockFact => JSON.parse(stored[0]?.body ?? '{}') as DockFact;
const letter = (): DeadLetter => JSON.parse(stored[0]?.body ?? '{}') as DeadLetter;

describe('a state whose properties are not under `data`', () => {
  it('is stored with its properties, and the dock gets a note', async () => {
    await receive('state', { tid: 't', bid: 'b', timestamp: RECEIVED_AT_MS, gateway: SN, firmware_version: '1.2' });
    expect(fact().data).toEqual({ firmware_version: '1.2' });
    expect(notes).toEqual([`${SN} flat_properties`]);
  });

  it('gives no note where they are under `data`', async () => {
    await receive('state', { tid: 't', bid: 'b', timestamp: RECEIVED_AT_MS, data: { firmware_version: '1.2' } });
    expect(notes).toEqual([]);
  });
});

describe('a state that a device repeats with the same tid', () => {
  const aState = (value: number, more: object = {}) => ({
    ...{ tid: 'tid-1', bid: 'bid-1', timestamp: RECEIVED_AT_MS, gateway: SN, need_reply: 1, data: { height: value } },
    ...more,
  });

  it('is stored once and answered each time', async () => {
    await receive('state', aState(1));
    await receive('state', aState(1, { timestamp: RECEIVED_AT_MS + 1_000 }));
    expect(stored).toHaveLength(1);
    expect(answers.map(({ to, data }) => [to.channel, to.tid, data])).toEqual([
      ['state', 'tid-1', { result: 0 }],
      ['state', 'tid-1', { result: 0 }],
    ]);
  });

  it.each([
    ['says something else', aState(2)],
    ['has another tid', aState(1, { tid: 'tid-2' })],
    ['comes through another gateway', aState(1, { gateway: 'DOCK-2' })],
  ])('is stored when it %s', async (_what, other) => {
    await receive('state', aState(1));
    await receive('state', other);
    expect(stored).toHaveLength(2);
  });

  it('is stored again after twenty seconds, as a sign of life', async () => {
    await receive('state', aState(1));
    await receive('state', aState(1), { atMs: RECEIVED_AT_MS + 19_999 });
    expect(stored).toHaveLength(1);
    await receive('state', aState(1), { atMs: RECEIVED_AT_MS + 20_000 });
    expect(stored).toHaveLength(2);
  });

  it('is stored when the first one could not be', async () => {
    storeFails = true;
    await expect(receive('state', aState(1))).rejects.toThrow();
    storeFails = false;
    await receive('state', aState(1));
    expect(stored).toHaveLength(1);
  });
});

describe('what may be stored a moment later, with others', () => {
  const progress = (output: unknown) => anEvent('flighttask_progress', { data: { result: 0, output } });

  it.each([
    ['a report that a flight goes on', 'events', progress({ status: 'in_progress' }), true],
    ['a property', 'state', { ...anEvent('none'), method: undefined, data: { height: 1 } }, true],
    ['what is no message', 'events', 'nonsense', false],
    ['the end of a flight', 'events', progress({ status: 'ok' }), false],
    ['a pause of a flight', 'events', progress({ status: 'paused' }), false],
    ['the word that a dock is ready', 'events', anEvent('flighttask_ready', { data: { flight_ids: ['a'] } }), false],
    ['a reply', 'services_reply', anEvent('flighttask_execute', { data: { result: 0 } }), false],
    ['a request', 'requests', anEvent('flighttask_resource_get', { data: { flight_id: 'a' } }), false],
  ])('%s (%s)', async (_what, channel, payload, mayWait) => {
    await receive(channel, payload);
    expect(stored.map((one) => one.mayWait)).toEqual([mayWait]);
  });
});

describe('a message that can be read', () => {
  it('is stored under its owner, its dock, its kind and its method', async () => {
    await receive('events', anEvent('flighttask_ready', { data: { flight_ids: ['a'] } }));
    expect(stored.map(({ subject }) => subject)).toEqual(['dock.v1.mission.DOCK-1.events.flighttask_ready']);
  });

  it('is stored with its raw text beside it', async () => {
    const payload = JSON.stringify(anEvent('some_event'));
    await receive('events', payload);
    expect(fact()).toMatchObject({ v: 1, sn: SN, tid: 'tid-1', receivedAtMs: RECEIVED_AT_MS, raw: payload });
  });

  it('is stored without what the device proves itself with', async () => {
    const data = {
      domain: '3',
      device_secret: 'canary',
      nonce: 'canary',
      sub_devices: [{ sn: 'A', device_secret: 'canary' }],
    };
    await receive('status', anEvent('update_topo', { data }), { topic: `sys/product/${SN}/status` });
    expect(stored[0]?.subject).toBe('dock.v1.fleet.DOCK-1.status.update_topo');
    expect(stored[0]?.body).not.toContain('canary');
  });

  it('keeps the binding code of a dock out of the raw text', async () => {
    const data = { bind_devices: [{ sn: SN, organization_id: 'o', device_binding_code: 'canary' }] };
    await receive('requests', anEvent('airport_organization_bind', { data }));
    expect(fact().raw).not.toContain('canary');
  });

  it('is stored again under another id when the dock repeats it', async () => {
    await receive('events', anEvent('some_event'));
    await receive('events', anEvent('some_event'));
    expect(new Set(stored.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('is a reply for whoever knows its tid when it has no method: each gets it once', async () => {
    await receive('services_reply', { tid: 'tid-1', bid: 'bid-1', timestamp: RECEIVED_AT_MS, data: { result: 0 } });
    expect(stored.map(({ subject }) => subject)).toEqual([
      'dock.v1.mission.DOCK-1.replies._none',
      'bulk.v1.log.DOCK-1.replies._none',
    ]);
    expect(stored[0]?.body).toBe(stored[1]?.body);
  });

  it('is no success when the store fails', async () => {
    storeFails = true;
    await expect(receive('events', anEvent('some_event'))).rejects.toThrow('JetStream does not answer');
  });

  it('is not answered when the store fails', async () => {
    storeFails = true;
    await receive('events', anEvent('some_event', { need_reply: 1 })).catch(() => undefined);
    expect(answers).toEqual([]);
  });
});

describe('an answer on behalf of nobody in particular', () => {
  it('goes to an event that no service knows and that wants one', async () => {
    await receive('events', anEvent('some_event', { need_reply: 1 }));
    expect(answers).toEqual([
      { to: { sn: SN, channel: 'events', method: 'some_event', tid: 'tid-1', bid: 'bid-1' }, data: { result: 0 } },
    ]);
  });

  it('does not go to an event that wants none', async () => {
    await receive('events', anEvent('some_event', { need_reply: 0 }));
    expect(answers).toEqual([]);
  });

  it('does not go to an event whose owner answers', async () => {
    await receive('events', anEvent('flighttask_ready', { need_reply: 1, data: { flight_ids: ['a'] } }));
    expect(answers).toEqual([]);
  });

  it.each(['offline_map_get', 'flight_areas_get'])(
    'tells a dock that asks for %s that there is nothing to fetch',
    async (method) => {
      await receive('requests', anEvent(method));
      expect(answers.map(({ data }) => data.result)).toEqual([0]);
    },
  );

  it('refuses a request that nobody knows', async () => {
    await receive('requests', anEvent('some_request'));
    expect(answers.map(({ data }) => data.result)).toEqual([314_000]);
  });

  it('does not go to a request whose owner answers', async () => {
    await receive('requests', anEvent('config'));
    expect(answers).toEqual([]);
  });

  it('goes to a state that wants one', async () => {
    await receive('state', { ...anEvent('x'), method: undefined, need_reply: 1 });
    expect(answers).toMatchObject([{ to: { channel: 'state', tid: 'tid-1' }, data: { result: 0 } }]);
  });

  it('does not go to a message without a tid', async () => {
    await receive('events', anEvent('some_event', { tid: undefined, need_reply: 1 }));
    expect(answers).toEqual([]);
  });
});

describe('a message that cannot be read', () => {
  it.each([
    ['is no JSON', '{"a":'],
    ['is empty', ''],
    ['is a list', '[]'],
    ['is null', 'null'],
    ['has a method that is no token', anEvent('a.b')],
    ['has a wildcard as its method', anEvent('*')],
    ['has the other wildcard as its method', anEvent('>')],
    ['has an empty method', anEvent('')],
    ['has a method that is too long', anEvent('x'.repeat(65))],
    ['has a number as its method', anEvent(7 as unknown as string)],
  ])('is kept with the reason when it %s', async (_what, payload) => {
    await receive('events', payload);
    expect([stored[0]?.subject, letter().reason.length > 0]).toEqual(['dead.v1.DOCK-1', true]);
  });

  it('is kept as it was received', async () => {
    await receive('events', 'garbage');
    expect(Buffer.from(letter().payloadBase64, 'base64').toString()).toBe('garbage');
  });

  it('is kept under no serial number when its topic has none', async () => {
    await receive('events', 'garbage', { topic: 'thing/product/a b/events' });
    expect(stored[0]?.subject).toBe('dead.v1._none');
  });

  it('is refused when it is a request, so that the dock does not ask for ever', async () => {
    await receive('requests', anEvent('config', { data: 'no object' }));
    expect(answers.every(({ data }) => data.result !== 0)).toBe(true);
  });

  it('is no success when it could not be kept either', async () => {
    storeFails = true;
    await expect(receive('events', 'garbage')).rejects.toThrow('JetStream does not answer');
  });

  it('fits into the dead letter stream, even when it is the largest that the broker takes', async () => {
    await receive('events', 'x'.repeat(262_144));
    expect((stored[0]?.body ?? '').length).toBeLessThan(512 * 1024);
  });

  it('is cut as the contract says, with its true size beside it', async () => {
    await receive('events', 'x'.repeat(262_144));
    expect([Buffer.from(letter().payloadBase64, 'base64').length, letter().payloadBytes]).toEqual([65_536, 262_144]);
  });
});

describe('the dead letters of one dock', () => {
  it('are bounded, so that they drive out none of another; the dock gets a note, and its answers', async () => {
    for (let count = 0; count < 30; count++) await receive('events', 'x'.repeat(262_144));
    const bytes = stored.reduce((sum, { body }) => sum + body.length, 0);
    expect([bytes <= 1024 * 1024, stored.length]).toEqual([true, 11]);
    expect(notes).toContain(`${SN} over_budget`);
    await receive('requests', anEvent('config', { data: 'no object' }));
    expect(answers).toHaveLength(1);
  });

  it('leave the letters of others alone', async () => {
    for (let count = 0; count < 30; count++) await receive('events', 'x'.repeat(262_144));
    const before = stored.length;
    await receive('events', 'garbage', { topic: 'thing/product/DOCK-2/events' });
    expect(stored).toHaveLength(before + 1);
  });
});

describe('a kept copy of an old message', () => {
  it('is dropped, because it would come again at every connect', async () => {
    await receive('events', anEvent('some_event', { need_reply: 1 }), { retain: true });
    expect([stored, answers]).toEqual([[], []]);
  });
});

describe('messages that cannot be read', () => {
  it.each([
    ['topic', {}, { topic: 'thing/product//events' }],
    ['channel', { ...anEvent('any'), method: null }, { topic: `thing/product/${SN}/osd` }],
    ['payload', 'no JSON', {}],
    ['data', anEvent('flighttask_progress', { data: { output: 7 } }), {}],
  ])('are counted by what was wrong, here the %s', async (fault, payload, more) => {
    await receive('events', payload, more);
    const lines = (await metrics.registry.getSingleMetricAsString('ingress_dead_letters_total')).split('\n');
    const counts = lines.flatMap((line) => /fault="(\w+)".*\} (\d)/.exec(line)?.slice(1).join(' ') ?? []);
    expect(counts.sort()).toEqual(
      ['topic', 'channel', 'payload', 'data', 'size'].map((one) => `${one} ${one === fault ? 1 : 0}`).sort(),
    );
  });
});

describe('the span of a message', () => {
  const MISSION = '0b5e3c1a-9d1f-4c70-8e57-2f0a6f6f2c11';
  const TID = 'd9428888-122b-41e1-b85c-61cd3cbb3210';
  const TRACE = '0b5e3c1a9d1f4c708e572f0a6f6f2c11';
  /** Name and parent of each span that was begun. */
  let begun: [string, string | null][];

  beforeEach(() => {
    begun = [];
    const maker: SpanMaker = {
      begin: ({ name, parent }) => {
        begun.push([name, parent === null ? null : `${parent.traceId} ${parent.spanId}`]);
        const nothing = (): void => undefined;
        const context = { traceId: 'f'.repeat(32), spanId: 'f'.repeat(16) };
        return { context, set: nothing, link: nothing, rename: nothing, fail: nothing, end: nothing };
      },
    };
    traceWith({ maker, share: 1 });
  });
  afterEach(() => traceWith(undefined));

  const aReply = (bid: string) => anEvent('flighttask_execute', { bid, tid: TID, data: { result: 0 } });
  const aReport = (status: string, bid = MISSION) =>
    anEvent('flighttask_progress', {
      ...{ bid, tid: TID },
      data: { result: 0, output: { status, progress: { percent: 50, current_step: 25 }, ext: { flight_id: bid } } },
    });

  it('lies below the command with its tid, where it is a reply to one of a mission', async () => {
    await receive('services_reply', aReply(MISSION));
    expect(begun).toEqual([['reply flighttask_execute', `${TRACE} b85c61cd3cbb3210`]]);
  });

  it('lies in the trace of the mission that it speaks of', async () => {
    await receive('events', aReport('ok'));
    expect(begun).toEqual([['uplink flighttask_progress', `${TRACE} 8e572f0a6f6f2c11`]]);
  });

  it('begins a trace where the ids are none of ours', async () => {
    await receive('services_reply', aReply('bid-of-a-dock'));
    expect(begun).toEqual([['reply flighttask_execute', null]]);
  });

  it('is not made of what nobody waits for: a report that a flight goes on, or a property', async () => {
    await receive('events', aReport('in_progress'));
    await receive('state', { tid: 't', bid: 'b', timestamp: RECEIVED_AT_MS, data: { firmware_version: '1.2' } });
    expect([stored.length, begun]).toEqual([2, []]);
  });
});

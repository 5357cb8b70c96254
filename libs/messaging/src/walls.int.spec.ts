import {
  BUS_PROGRAMS,
  BUS_RIGHTS,
  BUS_USERS,
  type BusProgram,
  type BusUser,
  CONSUMERS,
  type ConsumerSpec,
  NARROW_TOPOLOGY,
  PROVISIONER,
  REPLAY_DEAD_LETTERS,
  SEND_TOGETHER,
  STREAMS,
  type SendAsk,
  dockQuestion,
  inboxPrefixOf,
  retiredConsumersOf,
  sendManyQuestion,
  subjectMatches,
  takeDockQuestion,
} from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { limitedNatsUser, natsAuthorization } from '@aerie/server-settings';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { jest } from '@jest/globals';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { PermissionViolationError, type Subscription, connect } from '@nats-io/transport-node';
import { AskMany } from './ask-many.js';
import { NoAnswerError, ask } from './ask.js';
import { type NatsConnection, connectNats } from './connection.js';
import { ACK, consume } from './consume.js';
import { declareTopology, leaveTopology, narrowTopology, restoreRetired } from './declare.js';
import { examineNats } from './examine-nats.js';
import { JetStreamPublisher } from './publish.js';

jest.setTimeout(60_000);
const silent = createLogger('walls-spec', 'silent');
const PASSWORD = 'k-spec';
const ADMIN = 'admin';

let server: PrivateServer;
let admin: NatsConnection;
let manager: JetStreamManager;
const open: NatsConnection[] = [];

const urlOf = (user: string): string => server.url.replace('://', `://${user}:${PASSWORD}@`);

async function as(user: BusUser, name: string = user, logger = silent): Promise<NatsConnection> {
  const connection = await connectNats(urlOf(user), name, logger);
  open.push(connection);
  return connection;
}

beforeAll(async () => {
  const users = [
    { user: ADMIN, password: `"${PASSWORD}"`, rights: null },
    ...BUS_USERS.map((user) => limitedNatsUser(user, `"${PASSWORD}"`)),
  ];
  server = await startPrivateNats([natsAuthorization(users)]);
  admin = await connectNats(urlOf(ADMIN), ADMIN, silent);
  manager = await jetstreamManager(admin);
});
beforeEach(async () => void (await declareTopology(admin)));
afterEach(() => Promise.all(open.splice(0).map((connection) => connection.close())));
afterAll(async () => {
  await admin?.close();
  await server?.remove();
});

const wipe = (): Promise<unknown> => Promise.all(STREAMS.map(({ name }) => manager.streams.delete(name)));

/** One subject that a pattern matches. */
const sampleOf = (pattern: string): string => pattern.replaceAll('*', 'x').replace(/>$/, 'y.z');

/** What deletes, reads around a consumer, or is of the server itself; and what nobody ever named. */
const HOSTILE: readonly string[] = [
  ...STREAMS.flatMap(({ name }) =>
    ['DELETE', 'PURGE', 'MSG.DELETE', 'MSG.GET', 'SNAPSHOT', 'RESTORE'].map((verb) => `$JS.API.STREAM.${verb}.${name}`),
  ),
  ...['CREATE', 'UPDATE', 'DELETE', 'PURGE'].map((verb) => `$JS.API.STREAM.${verb}.FOREIGN`),
  ...['DELETE', 'PAUSE', 'RESET', 'UNPIN'].map((verb) => `$JS.API.CONSUMER.${verb}.DOCK.mission`),
  '$JS.API.CONSUMER.CREATE.DOCK.spy',
  '$JS.API.CONSUMER.CREATE.DOCK',
  '$JS.API.CONSUMER.DURABLE.CREATE.DOCK.spy',
  '$JS.API.CONSUMER.CREATE.DOCK.mission.dock.v1.x',
  '$JS.API.DIRECT.GET.DOCK',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.NAMES',
  '$JS.API.ACCOUNT.PURGE.x',
  '$JS.API.META.LEADER.STEPDOWN',
  '$SYS.REQ.SERVER.PING',
  '_INBOX.x.y',
  'anything',
  'ask.mission.v1.unknown',
];

const PATTERNS = BUS_USERS.flatMap((user) => [...BUS_RIGHTS[user].publish, ...BUS_RIGHTS[user].subscribe]);
const SUBJECTS = [...new Set([...PATTERNS.map(sampleOf), ...HOSTILE])];
const WIDE = [
  '>',
  '*',
  '*.>',
  '_INBOX.>',
  '_INBOX_mission-service.>',
  'dock.>',
  'ask.>',
  '$JS.>',
  '$JS.ACK.>',
  '$SYS.>',
];

const may = (patterns: readonly string[], subject: string): boolean =>
  patterns.some((pattern) => subjectMatches(pattern, subject));

/** Publishes and subscribes everything as a user, and returns what the server refused. */
async function tryAll(user: BusUser): Promise<{
  readonly refused: Readonly<Record<'publish' | 'subscription', ReadonlySet<string>>>;
  readonly heard: ReadonlySet<string>;
}> {
  const { host } = new URL(server.url);
  const connection = await connect({ servers: [host], user, pass: PASSWORD, name: 'tries' });
  open.push(connection);
  const refused = { publish: new Set<string>(), subscription: new Set<string>() };
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      refused[status.error.operation].add(status.error.subject);
    }
  })();
  const heard = new Set<string>();
  for (const subject of [...SUBJECTS, ...WIDE]) {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null && message.string() === 'witness') heard.add(message.subject);
      },
    });
  }
  await connection.flush();
  for (const subject of SUBJECTS) if (!subject.startsWith('$')) admin.publish(subject, 'witness');
  await admin.flush();
  for (const subject of SUBJECTS) connection.publish(subject, `from ${user}`);
  await connection.flush();
  return { refused, heard };
}

describe('a user of NATS', () => {
  const arrived = new Map<string, Set<string>>();
  let witness: Subscription;
  beforeAll(async () => {
    witness = admin.subscribe('>', {
      callback: (error, message) => {
        if (error !== null || !message.string().startsWith('from ')) return;
        const from = message.string().slice('from '.length);
        arrived.set(message.subject, (arrived.get(message.subject) ?? new Set()).add(from));
      },
    });
    await admin.flush();
  });
  afterAll(() => witness.unsubscribe());

  it.each(BUS_USERS)(
    'that is %s says and hears what is its own, and a witness hears nothing else of it',
    async (user) => {
      const { publish, subscribe } = BUS_RIGHTS[user];
      const { refused, heard } = await tryAll(user);
      await admin.flush();
      const said = SUBJECTS.filter((subject) => arrived.get(subject)?.has(user));
      expect(said).toEqual(SUBJECTS.filter((subject) => may(publish, subject)));
      await eventually('each refusal was told', () => {
        const forbidden = SUBJECTS.filter((subject) => !may(publish, subject));
        return refused.publish.size === forbidden.length && forbidden.every((subject) => refused.publish.has(subject));
      });
      const deaf = [...SUBJECTS, ...WIDE].filter((subject) => !may(subscribe, subject));
      expect([...refused.subscription].sort()).toEqual([...new Set(deaf)].sort());
      const audible = SUBJECTS.filter((subject) => !subject.startsWith('$') && may(subscribe, subject));
      await eventually('all of its own was heard', () => audible.every((subject) => heard.has(subject)));
      expect([...heard].sort()).toEqual([...audible].sort());
    },
  );

  // By hand, so that a table that says too much is seen.
  it.each([
    ['sends many commands to docks', 'ingress.v1.sendMany', ['mission-service']],
    ['says what a dock said', 'dock.v1.mission.SN1.events.flighttask_progress', ['mqtt-ingress', PROVISIONER]],
    ['tells facts of missions', 'mission.v1.org.stateChanged', ['mission-service']],
    ['asks for upload keys', 'ask.credential.v1.uploadKeys.issue', ['log-service']],
    ['deletes objects', 'ask.credential.v1.objects.delete', ['log-service']],
    ['asks whether a dock may be cut off', 'ask.mission.v1.dock.cutOff', ['fleet-service']],
    ['takes messages of mission-service', '$JS.API.CONSUMER.MSG.NEXT.DOCK.mission', ['mission-service']],
    ['acknowledges them', '$JS.ACK.DOCK.mission.1.2.3.4.5', ['mission-service']],
    ['deletes consumers', '$JS.API.CONSUMER.DELETE.DOCK.mission', [PROVISIONER]],
    ['deletes letters', '$JS.API.STREAM.MSG.DELETE.DEAD', [PROVISIONER]],
    ['deletes messages of docks', '$JS.API.STREAM.MSG.DELETE.DOCK', []],
    ['deletes streams', '$JS.API.STREAM.DELETE.DOCK', []],
    ['purges streams', '$JS.API.STREAM.PURGE.DOCK', []],
    ['writes into an inbox unasked', '_INBOX_mission-service.x', []],
  ])('alone %s', (_what, subject, users) => {
    expect(BUS_USERS.filter((user) => may(BUS_RIGHTS[user].publish, subject))).toEqual(users);
  });

  it('alone hears what comes to its inbox', () => {
    for (const user of BUS_PROGRAMS) {
      const ears = BUS_USERS.filter((other) => may(BUS_RIGHTS[other].subscribe, `${inboxPrefixOf(user)}.x`));
      expect(ears).toEqual([user]);
    }
  });
});

const CONSUMERS_OF: Readonly<Record<BusProgram, readonly ConsumerSpec[]>> = Object.fromEntries(
  BUS_PROGRAMS.map((program) => {
    const service = program.replace('-service', '') as ConsumerSpec['service'];
    return [program, [...CONSUMERS.filter((one) => one.service === service), ...retiredConsumersOf(service)]];
  }),
) as never;

describe('behind the walls', () => {
  it.each(BUS_PROGRAMS)(
    '%s declares all of a JetStream that was wiped, and its checks find nothing',
    async (program) => {
      await wipe();
      const connection = await as(program);
      await declareTopology(connection);
      expect(await examineNats(connection)).toEqual([]);
      for (const { stream, durable } of CONSUMERS) expect(await manager.consumers.info(stream, durable)).toBeDefined();
    },
  );

  it.each(BUS_PROGRAMS.filter((program) => CONSUMERS_OF[program].length > 0))(
    '%s reads and settles what each of its consumers has',
    async (program) => {
      const connection = await as(program);
      for (const spec of CONSUMERS_OF[program]) {
        const subject = sampleOf(spec.filterSubjects[0] ?? '').replace('.x.', `.${program}.`);
        const read = new Promise<string>((resolve) => {
          const handle = consume({
            ...{ connection, spec, maxInWork: 10, maxBatch: 10, lanes: 1, logger: silent },
            read: ({ subject: stored }) => stored,
            handleBatch: async (subjects) => {
              if (subjects.includes(subject)) resolve(subject);
              return subjects.map(() => ACK);
            },
            keepRejected: async () => undefined,
          });
          closers.push(() => handle.stop(1_000));
        });
        await new JetStreamPublisher(admin, 5_000).store(subject, 'x', `${program}-${spec.stream}-${spec.durable}`);
        // A subject that another consumer of the program has too is left to that one, and settled all the same.
        await Promise.race([read, settledBy(spec)]);
        await settledBy(spec);
      }
    },
  );

  const closers: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

  const settledBy = (spec: ConsumerSpec): Promise<unknown> =>
    eventually(`${spec.durable} of ${spec.stream} is empty`, async () => {
      const { num_pending, num_ack_pending, delivered } = await manager.consumers.info(spec.stream, spec.durable);
      return delivered.consumer_seq > 0 && num_pending + num_ack_pending === 0;
    });

  it('an ingress answers as many commands as one question holds, into the inbox of mission-service', async () => {
    const [asker, answerer] = [await as('mission-service'), await as('mqtt-ingress')];
    answerer.subscribe(sendManyQuestion.subject, {
      callback: (_error, message) => {
        const { items } = message.json<{ data: { items: SendAsk[] } }>().data;
        items.forEach((_, index) =>
          message.respond(JSON.stringify({ response: { index, answer: { outcome: 'written' } } })),
        );
        message.respond(JSON.stringify({ isDisposed: true }));
      },
    });
    await answerer.flush();
    const items = Array.from({ length: SEND_TOGETHER }, (_, index) => ({ sn: `SN${index}` }) as SendAsk);
    const answers = await Promise.all(new AskMany(asker).ask(sendManyQuestion, items));
    expect(answers).toEqual(items.map(() => ({ outcome: 'written' })));
  });

  it('a question that its asker may not ask fails at once, and the log says at error what is forbidden', async () => {
    const lines: { readonly level: string; readonly subject?: string }[] = [];
    const logger = createLogger('walls-spec', 'silent');
    jest.spyOn(logger, 'error').mockImplementation(((fields: { subject: string }) => {
      lines.push({ level: 'error', subject: fields.subject });
    }) as never);
    const connection = await as('credential-service', 'credential-service', logger);
    const forbidden = { ...takeDockQuestion, timeoutMs: 600_000 };
    await expect(ask(connection, forbidden, {} as never)).rejects.toMatchObject({
      name: 'NoAnswerError',
      cause: { message: expect.stringContaining(takeDockQuestion.subject) as string },
    });
    const many = { ...sendManyQuestion, timeoutMs: 600_000 };
    const [answer] = new AskMany(connection).ask(many, [{ sn: 'SN1' } as SendAsk]);
    await expect(answer).rejects.toBeInstanceOf(NoAnswerError);
    await eventually('both are in the log', () => lines.length === 2);
    expect(lines.map(({ subject }) => subject)).toEqual([takeDockQuestion.subject, sendManyQuestion.subject]);
  });

  it('nobody is asked by a program that may ask: that nobody answers is told to its inbox', async () => {
    const connection = await as('mission-service');
    await expect(ask(connection, dockQuestion, { sn: 'SN1' })).rejects.toMatchObject({ noResponders: true });
  });

  it('the commands narrow and widen the topology, and take letters from the list', async () => {
    const connection = await as(PROVISIONER, NARROW_TOPOLOGY);
    await wipe();
    expect((await narrowTopology(connection)).every(({ refusal }) => refusal === null)).toBe(true);
    await restoreRetired(connection);
    await leaveTopology(connection);
    const replay = await as(PROVISIONER, REPLAY_DEAD_LETTERS);
    const publisher = new JetStreamPublisher(admin, 5_000);
    await publisher.store('dead.v1.SN1', 'letter', 'letter-1');
    const letters = await jetstreamManager(replay);
    const letter = await letters.streams.getMessage('DEAD', { seq: 1, next_by_subj: 'dead.v1.*' } as { seq: number });
    expect(letter?.subject).toBe('dead.v1.SN1');
    expect(await letters.streams.deleteMessage('DEAD', letter?.seq ?? 0)).toBe(true);
    await new JetStreamPublisher(replay, 5_000).store('bulk.v1.fleet.SN1.events.x', 'again', 'again-1');
  });

  it('a check at start names what a user lacks', async () => {
    const users = [
      {
        user: 'mqtt-ingress',
        password: `"${PASSWORD}"`,
        rights: { publish: ['dock.v1.>'], subscribe: ['_INBOX_mqtt-ingress.>'], responses: null },
      },
    ];
    const strict = await startPrivateNats([natsAuthorization(users)]);
    const connection = await connectNats(
      strict.url.replace('://', `://mqtt-ingress:${PASSWORD}@`),
      'mqtt-ingress',
      silent,
    );
    open.push(connection);
    const findings = await examineNats(connection);
    expect(findings).toMatchObject([{ field: 'permissions', isError: true }]);
    expect(findings[0]?.message).toContain('$JS.API.INFO');
    await connection.close();
    await strict.remove();
  });
});

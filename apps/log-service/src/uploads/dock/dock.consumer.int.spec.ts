import { randomUUID } from 'node:crypto';
import { type DockFact, LOG_EVENTS_CONSUMER, LOG_REPLIES_CONSUMER, speakersQuestion } from '@aerie/bus-contract';
import {
  Backlog,
  DeadLetters,
  JetStreamPublisher,
  type NatsConnection,
  connectNats,
  declareTopology,
} from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { Metrics } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { aStart, anExport, apply, logTestDatabase, logger, prefixOf, stateOf } from '../../fixtures/log-database.js';
import type { Advanced } from '../advance-upload.js';
import type { LockedUpload } from '../store/upload.row.js';
import { MESSAGES_LIMIT } from '../store/timeline.js';
import { DockConsumer } from './dock.consumer.js';

let nats: PrivateServer;
let connection: NatsConnection;
let publisher: JetStreamPublisher;
let dataSource: DataSource;
let drop: () => Promise<void>;
let consumer: DockConsumer;
const ran: Advanced[] = [];

beforeAll(async () => {
  const database = await logTestDatabase(1);
  drop = database.drop;
  [dataSource] = database.pools as [DataSource];
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'consumer-spec', logger);
  await declareTopology(connection);
  publisher = new JetStreamPublisher(connection, 2_000);
  // A dock speaks for itself, and for the aircraft that is called after it.
  answer(connection, speakersQuestion, ({ sns }) => ({
    speakers: sns.filter((sn) => sn.startsWith('D-')).map((sn) => ({ sn, dockSn: sn.replace(/A$/, '') })),
  }));
  consumer = new DockConsumer({
    ...{
      connection,
      dataSource,
      logger,
      deadLetters: new DeadLetters(publisher, new Metrics('dead-letters-spec')),
      metrics: new Metrics('spec'),
    },
    afterCommit: { run: (advanced: Advanced) => void ran.push(advanced) } as never,
  });
  consumer.start();
}, 60_000);
afterAll(async () => {
  await consumer?.stop();
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

/** Everything that was said before is handled. */
const allIsHandled = async (): Promise<void> =>
  expect(await new Backlog(connection, [LOG_EVENTS_CONSUMER, LOG_REPLIES_CONSUMER]).handledUntilNow(10_000)).toBe(true);

let messages = 0;

/** A message of a dock, as the ingress stores it. */
async function say(fact: Partial<DockFact> & Pick<DockFact, 'sn' | 'data'>): Promise<void> {
  const whole: DockFact = {
    v: 1,
    topic: `thing/product/${fact.sn}/events`,
    channel: 'events',
    method: 'fileupload_progress',
    tid: randomUUID(),
    bid: null,
    timestampMs: null,
    receivedAtMs: Date.now(),
    needReply: false,
    gateway: null,
    raw: '{}',
    ...fact,
  };
  const kind = whole.channel === 'events' ? 'events' : 'replies';
  const subject = `bulk.v1.log.${whole.sn}.${kind}.${whole.method ?? '_none'}`;
  await publisher.store(subject, JSON.stringify(whole), `spec-${++messages}`);
}

const progressOf = (upload: LockedUpload, key = `${prefixOf(upload)}dock.tar`, percent = 50) => ({
  result: 0,
  output: {
    status: 'file_uploading',
    ext: { files: [{ module: '3', key, size: 1_000, progress: { progress: percent, status: 'file_uploading' } }] },
  },
});

const timelineOf = async (id: string): Promise<string[]> =>
  (
    await dataSource.query<{ entry: string }[]>(
      `SELECT kind || ' ' || what AS entry FROM log.timeline WHERE upload_id = $1 ORDER BY id`,
      [id],
    )
  ).map(({ entry }) => entry);
const entries = async (id: string, entry: string): Promise<number> =>
  (await timelineOf(id)).filter((found) => found === entry).length;
const toldOf = async (id: string): Promise<unknown> =>
  (
    await dataSource.query<{ told: unknown }[]>(`SELECT files #> '{0,told}' AS told FROM log.upload WHERE id = $1`, [
      id,
    ])
  )[0]?.told;

const tidOfStart = async (id: string): Promise<string> =>
  (
    await dataSource.query<{ tid: string }[]>(
      `SELECT tid FROM log.dock_call WHERE upload_id = $1 AND method = 'fileupload_start'`,
      [id],
    )
  )[0]?.tid ?? '';

it('takes what a dock tells of an attempt by its bid, and what it tells twice once', async () => {
  const upload = await anExport(dataSource);
  const { id, dock_sn: sn, attempt_id: bid } = upload;
  const tid = randomUUID();
  await say({ sn, bid, tid, data: progressOf(upload) });
  await say({ sn, bid, tid, data: progressOf(upload) });
  await say({ sn, bid, data: progressOf(upload, undefined, 60) });
  await allIsHandled();
  // The one of anExport, and these two.
  expect(await entries(id, 'decision exportTold')).toBe(3);
});

it('finds the attempt by the key of an object where the bid is missing', async () => {
  const upload = await anExport(dataSource);
  await say({ sn: upload.dock_sn, data: progressOf(upload, undefined, 70) });
  await eventually('it is known', async () =>
    ((await toldOf(upload.id)) as { percent?: number } | null)?.percent === 70 ? true : undefined,
  );
});

it('K4, N63: takes nothing of a message that names a key outside of its folder, and raises the alarm', async () => {
  const upload = await anExport(dataSource);
  const { id, dock_sn: sn, attempt_id: bid } = upload;
  const foreign = `org/22222222-2222-4222-8222-222222222222/dock/${sn}/logs/${id}/1/dock.tar`;
  await say({ sn, bid, data: progressOf(upload, foreign) });
  await eventually('it is refused', async () => ((await entries(id, 'refusal foreignKey')) > 0 ? true : undefined));
  expect(await toldOf(id)).toBeNull();
  const alarms = await dataSource.query<{ payload: unknown }[]>(
    `SELECT payload FROM log.outbox WHERE subject LIKE '%.alarm' AND payload ->> 'uploadId' = $1`,
    [id],
  );
  expect(alarms.map(({ payload }) => payload)).toEqual([
    { uploadId: id, dockSn: sn, claimedKey: foreign, expectedPrefix: prefixOf(upload) },
  ]);
});

it('K4: takes nothing of a key that climbs out of its folder', async () => {
  const upload = await anExport(dataSource);
  const { id, dock_sn: sn, attempt_id: bid } = upload;
  await say({ sn, bid, data: progressOf(upload, `${prefixOf(upload)}../2/dock.tar`) });
  await eventually('it is refused', async () => ((await entries(id, 'refusal foreignKey')) > 0 ? true : undefined));
});

it('takes nothing of another dock that knows the bid', async () => {
  const upload = await anExport(dataSource);
  const other = await anExport(dataSource);
  const before = await timelineOf(upload.id);
  await say({ sn: other.dock_sn, bid: upload.attempt_id, data: progressOf(upload) });
  await allIsHandled();
  expect(await timelineOf(upload.id)).toEqual(before);
});

it('stops a dock that was told a start twice, and whose yes comes after it said that it is busy', async () => {
  const { id, dock_sn: sn } = await aStart(dataSource);
  const reply = { sn, channel: 'services_reply', method: 'fileupload_start', tid: await tidOfStart(id) };
  await say({ ...reply, data: { result: 319_018 } });
  await eventually('it is known to be busy', async () => (await entries(id, 'decision startDeferred')) > 0);
  await say({ ...reply, data: { result: 0 } });
  await eventually('it is told to stop', async () => (await stateOf(dataSource, id)) === 'stopping');
  const orders = ran.flatMap((advanced) => advanced.orders).filter(({ upload }) => upload.id === id);
  expect(orders.map(({ effect }) => effect)).toEqual(['sendStop']);
});

it('believes a dock that it has stopped by when that stop was sent, because its start may have arrived after it', async () => {
  const { id, dock_sn: sn } = await aStart(dataSource);
  const stopped = async (): Promise<void> => {
    const [call] = await dataSource.query<{ tid: string }[]>(
      `SELECT tid FROM log.dock_call WHERE upload_id = $1 AND method = 'fileupload_update' AND reply_at IS NULL`,
      [id],
    );
    const tid = call?.tid ?? '';
    await say({ sn, channel: 'services_reply', method: 'fileupload_update', tid, data: { result: 0 } });
    await allIsHandled();
  };
  await apply(dataSource, id, { type: 'cancelRequested' });
  await stopped();
  expect([await entries(id, 'decision stopAccepted'), await stateOf(dataSource, id)]).toEqual([1, 'stopping']);

  await apply(dataSource, id, { type: 'stopOverdue' });
  await dataSource.query(
    `UPDATE log.dock_call SET claimed_at = now() + interval '20 seconds' WHERE upload_id = $1 AND reply_at IS NULL`,
    [id],
  );
  await stopped();
  expect(await stateOf(dataSource, id)).toBe('verifying');
});

it('takes the first reply to a command, and keeps another one as evidence', async () => {
  const { id, dock_sn: sn } = await anExport(dataSource);
  const reply = { sn, channel: 'services_reply', method: 'fileupload_start', tid: await tidOfStart(id) };
  await say({ ...reply, data: { result: 0 } });
  await eventually('the first is known', async () =>
    (await entries(id, 'decision startAccepted')) > 1 ? true : undefined,
  );
  await say({ ...reply, data: { result: 319_018 } });
  await eventually('the second is kept', async () =>
    (await entries(id, 'message_in fileupload_start reply')) > 1 ? true : undefined,
  );
  expect(await timelineOf(id)).not.toContain('decision startDeferred');
});

it('takes what a huge message says, and keeps its beginning in the timeline', async () => {
  const upload = await anExport(dataSource);
  const { id, dock_sn: sn, attempt_id: bid } = upload;
  const { output, ...progress } = progressOf(upload);
  const files = output.ext.files.map((file) => ({ ...file, fingerprint: '😀'.repeat(20_000) }));
  await say({ sn, bid, data: { ...progress, output: { ...output, ext: { files } }, more: 'x'.repeat(100_000) } });
  // It may not write to that key, and the key that the alarm names ends in the middle of a character.
  await say({ sn, bid, data: progressOf(upload, `other/x${'😀'.repeat(20_000)}`) });
  await allIsHandled();
  expect(await toldOf(id)).toMatchObject({ percent: 50 });
  expect((await timelineOf(id)).slice(-4)).toEqual([
    'message_in fileupload_progress',
    'decision exportTold',
    'message_in fileupload_progress',
    'refusal foreignKey',
  ]);
  const rows = await dataSource.query<{ detail: { cut?: true; beginning?: string; characters?: number } }[]>(
    'SELECT detail FROM log.timeline WHERE upload_id = $1 ORDER BY id DESC LIMIT 4',
    [id],
  );
  for (const { detail } of rows) expect(JSON.stringify(detail.beginning ?? detail).length).toBeLessThan(20_000);
  const [, foreign, decision, huge] = rows.map(({ detail }) => detail);
  expect(foreign?.cut).toBe(true);
  expect(decision).toMatchObject({ cut: true, beginning: expect.stringContaining('"type":"exportTold"') });
  expect(huge).toMatchObject({ cut: true, beginning: expect.stringContaining('"tid"') });
  expect(huge?.characters).toBeGreaterThan(140_000);
});

it('keeps each tenth of an export that is reported without end, and what it leads to', async () => {
  const upload = await anExport(dataSource);
  const { id, dock_sn: sn, attempt_id: bid } = upload;
  const received = (): Promise<number> => entries(id, 'message_in fileupload_progress');
  const report = (percents: readonly number[]): Promise<unknown> =>
    Promise.all(percents.map((percent) => say({ sn, bid, data: progressOf(upload, undefined, percent) })));

  for (let third = 0; third < 300; third++) await report([third / 3]);
  await allIsHandled();
  expect(await received()).toBe(10);
  expect(await toldOf(id)).toMatchObject({ percent: 299 / 3 });

  // It jumps to and fro for ever: each report is a new tenth.
  for (let jump = 0; jump < MESSAGES_LIMIT; jump += 10) await report([5, 95, 5, 95, 5, 95, 5, 95, 5, 95]);
  await allIsHandled();
  const before = await timelineOf(id);
  expect(await received()).toBe(MESSAGES_LIMIT);
  expect(await entries(id, 'note messagesLeftOut')).toBe(1);
  await report([5, 95]);
  // Nor does it help to speak of what it may not.
  await say({ sn, bid, data: progressOf(upload, 'other/dock.tar') });
  await allIsHandled();
  expect(await timelineOf(id)).toEqual(before);
  expect(await toldOf(id)).toMatchObject({ percent: 95 });

  const ended = progressOf(upload);
  await say({ sn, bid, data: { ...ended, output: { ...ended.output, status: 'ok' } } });
  await allIsHandled();
  expect(await stateOf(dataSource, id)).toBe('verifying');
  expect(await timelineOf(id)).toEqual([...before, 'message_in fileupload_progress', 'decision exportEnded']);
}, 60_000);

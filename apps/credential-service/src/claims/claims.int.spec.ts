import { randomUUID } from 'node:crypto';
import {
  CREDENTIAL_EVENTS_CONSUMER,
  type DeadLetter,
  type DockFact,
  type SendAsk,
  deadLetter,
  deadLetterSubject,
  sendQuestion,
} from '@aerie/bus-contract';
import { JetStreamPublisher, declareTopology } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { eventually } from '@aerie/testing';
import { ClaimStore } from './claim.store.js';
import { jest } from '@jest/globals';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { ORGANISATION, OTHER_ORGANISATION, type RunningService, startService } from '../running-service.fixture.js';

jest.setTimeout(30_000);

let service: RunningService;
let manager: JetStreamManager;
let publisher: JetStreamPublisher;
const sent: SendAsk[] = [];

beforeAll(async () => {
  service = await startService();
  const { nats } = service;
  // Of the ingress only the answers are there.
  answer(nats, sendQuestion, (asked) => {
    sent.push(asked);
    return { outcome: 'written' as const };
  });
  await declareTopology(nats);
  manager = await jetstreamManager(nats);
  publisher = new JetStreamPublisher(nats, 2_000);
  service.intake.start();
}, 60_000);
afterAll(() => service?.stop(), 30_000);

let docks = 0;
const aSerialNumber = (): string => `D-${++docks}`;
const folderOf = (sn: string, organisationId = ORGANISATION): string => `org/${organisationId}/dock/${sn}/media`;

/** Stores what a dock says as the ingress does, and gives the tid. */
async function claim(sn: string, file: unknown, given: Partial<DockFact> = {}): Promise<string> {
  const method = 'file_upload_callback';
  const tid = randomUUID();
  const fact: DockFact = {
    ...{ v: 1, sn, topic: `thing/product/${sn}/events`, channel: 'events', method, tid, bid: 'b' },
    ...{ timestampMs: 1, receivedAtMs: Date.now(), needReply: true, gateway: null, data: { file }, raw: '{}' },
    ...given,
  };
  await publisher.store(`bulk.v1.credential.${sn}.events.${method}`, JSON.stringify(fact), randomUUID());
  return fact.tid ?? tid;
}

const resultFor = (tid: string): Promise<unknown> =>
  eventually('the dock is answered', async () => sent.find((one) => one.tid === tid)?.data);
const rowsOf = (sn: string) =>
  service.dataSource.query<Record<string, unknown>[]>('SELECT * FROM credential.upload_claim WHERE dock_sn = $1', [sn]);
const handled = () =>
  eventually('all that was said is handled', async () => {
    const { stream, durable } = CREDENTIAL_EVENTS_CONSUMER;
    // A message that was stored this instant is counted by the consumer a little later.
    const { last_seq } = (await manager.streams.info(stream)).state;
    const { num_pending, num_ack_pending, delivered } = await manager.consumers.info(stream, durable);
    return delivered.stream_seq >= last_seq && num_pending + num_ack_pending === 0;
  });

async function foreignClaims(): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^credential_foreign_claims_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

async function letterOf(sn: string): Promise<DeadLetter> {
  const message = await eventually('it is kept', () =>
    manager.streams.getMessage('DEAD', { last_by_subj: deadLetterSubject(sn) }).catch(() => null),
  );
  return deadLetter.parse(message?.json());
}

it('takes down a file in the folder of the dock, and then says that it is well', async () => {
  const sn = aSerialNumber();
  const [objectKey, before] = [`${folderOf(sn)}/a.jpeg`, await foreignClaims()];
  const tid = await claim(sn, { object_key: objectKey, name: 'a.jpeg', ext: { flight_id: 'f-1' } });
  await expect(resultFor(tid)).resolves.toEqual({ result: 0 });
  expect(sent.find((one) => one.tid === tid)).toMatchObject({
    ...{ sn, channel: 'events_reply', method: 'file_upload_callback', bid: 'b' },
  });
  expect(await rowsOf(sn)).toEqual([
    {
      ...{ organisation_id: ORGANISATION, dock_sn: sn, object_key: objectKey, flight_id: 'f-1', verdict: 'inside' },
      ...{ reported: {}, packed: expect.any(Buffer), claimed_at: expect.any(Date) },
    },
  ]);
  const claims = new ClaimStore(service.dataSource);
  expect(await claims.reportOf(sn, objectKey)).toEqual({ file: expect.objectContaining({ name: 'a.jpeg' }) });
  expect(await claims.reportOf(sn, 'another')).toBeUndefined();
  expect(await foreignClaims()).toBe(before);
});

it.each([
  ['of another dock', (sn: string) => `${folderOf(`${sn}0`)}/a.jpeg`],
  ['of another organisation', (sn: string) => `${folderOf(sn, OTHER_ORGANISATION)}/a.jpeg`],
  ['that is reached by climbing', (sn: string) => `${folderOf(sn)}/../../D-0/media/a.jpeg`],
])('N63: refuses a key %s, keeps what was claimed, and alarms', async (_what, keyOf) => {
  const sn = aSerialNumber();
  const before = await foreignClaims();
  const tid = await claim(sn, { object_key: keyOf(sn) });
  await expect(resultFor(tid)).resolves.toEqual({ result: 325_001 });
  expect(await rowsOf(sn)).toMatchObject([{ object_key: keyOf(sn), flight_id: null, verdict: 'outside' }]);
  expect(await foreignClaims()).toBe(before + 1);
});

it('takes down once what a dock says twice, and answers it each time', async () => {
  const sn = aSerialNumber();
  const file = { object_key: `${folderOf(sn)}/a.jpeg` };
  const tid = await claim(sn, file);
  await resultFor(tid);
  const [first] = await rowsOf(sn);
  await claim(sn, { ...file, ext: { flight_id: 'f-2' } }, { tid });
  await eventually('it is answered again', () => sent.filter((one) => one.tid === tid).length === 2);
  expect(sent.filter((one) => one.tid === tid).map(({ data }) => data)).toEqual([{ result: 0 }, { result: 0 }]);
  expect(await rowsOf(sn)).toEqual([first]);
});

it('answers nothing before it is written down', async () => {
  const sn = aSerialNumber();
  await handled();
  await service.owner.query('ALTER TABLE credential.upload_claim RENAME TO claim_elsewhere');
  const tid = await claim(sn, { object_key: `${folderOf(sn)}/a.jpeg` });
  try {
    const { stream, durable } = CREDENTIAL_EVENTS_CONSUMER;
    await eventually(
      'it was tried more than once',
      async () => (await manager.consumers.info(stream, durable)).num_redelivered > 0,
    );
    expect(sent.filter((one) => one.tid === tid)).toEqual([]);
  } finally {
    await service.owner.query('ALTER TABLE credential.claim_elsewhere RENAME TO upload_claim');
  }
  await expect(resultFor(tid)).resolves.toEqual({ result: 0 });
  expect(await rowsOf(sn)).toHaveLength(1);
});

it('takes down what wants no answer, and gives none', async () => {
  const sn = aSerialNumber();
  const tid = await claim(sn, { object_key: `${folderOf(sn)}/a.jpeg` }, { needReply: false });
  await handled();
  expect([await rowsOf(sn), sent.filter((one) => one.tid === tid)]).toEqual([[expect.anything()], []]);
});

it.each([
  ['a key that is longer than any', { object_key: 'x'.repeat(1_025) }, /1025 bytes/],
  ['no key', { name: 'a.jpeg' }, /no key/],
])('N63: keeps %s as a dead letter, refuses it, and writes nothing', async (_what, file, reason) => {
  const sn = aSerialNumber();
  const tid = await claim(sn, file);
  expect((await letterOf(sn)).reason).toMatch(reason);
  await expect(resultFor(tid)).resolves.toEqual({ result: 325_001 });
  await handled();
  expect(await rowsOf(sn)).toEqual([]);
});

it('hears nobody but docks', async () => {
  const tid = await claim('AIR-1', { object_key: `${folderOf('AIR-1')}/a.jpeg` });
  await handled();
  expect([await rowsOf('AIR-1'), sent.filter((one) => one.tid === tid)]).toEqual([[], []]);
});

import { randomUUID } from 'node:crypto';
import { type DockFlood, cutOffDockQuestion, endCutOffQuestion, floodSubject } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { z } from 'zod';
import { fleetTestDatabase } from '../../fixtures/fleet-database.js';
import { BrokerUsers } from '../broker/broker-users.js';
import { ChangeDock } from '../change-dock.js';
import { DockStore, DocksOfAll } from '../dock.store.js';
import { RegisterDock } from '../register-dock.js';
import { Topologies } from '../topologies.js';
import { CutOffDocks } from './cut-off-docks.js';
import { CutOffStore, OwnCutOffs, MAX_CUT_OFFS } from './cut-off.store.js';

const SECOND_MS = 1_000;
const FIRST_MS = 600 * SECOND_MS;

type CutOffAsk = z.infer<(typeof cutOffDockQuestion)['ask']>;

/** Whom the broker lets in. The real one is in the scenarios. */
class NotedBroker extends BrokerUsers {
  readonly calls: string[] = [];
  down = false;
  /** Runs in the middle of the next command, before the broker has it. */
  meanwhile: (() => Promise<unknown>) | undefined;
  private async note(call: string): Promise<void> {
    if (this.down) throw new Error('the broker is away');
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    this.calls.push(call);
  }
  override provision = (dockSn: string): Promise<void> => this.note(`provision ${dockSn}`);
  override grantAircraft = async (): Promise<void> => undefined;
  override disable = (dockSn: string): Promise<void> => this.note(`disable ${dockSn}`);
  override enable = (dockSn: string): Promise<void> => this.note(`enable ${dockSn}`);
  override remove = (dockSn: string): Promise<void> => this.note(`remove ${dockSn}`);
}

const logger = createLogger('cut-offs-spec', 'silent');
let server: PrivateServer;
let nats: NatsConnection;
let missions: NatsConnection;
let dataSource: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
let organisationId: string;
let topologies: Topologies;
let store: CutOffStore;
let own: OwnCutOffs;
let broker: NotedBroker;
let cutOffs: CutOffDocks;
let registerDock: RegisterDock;

/** What mission-service says, and was asked. */
let says: ((asked: CutOffAsk) => boolean) | null;
let asked: CutOffAsk[];
let ended: number[];

beforeAll(async () => {
  ({ dataSource, api, drop } = await fleetTestDatabase());
  server = await startPrivateNats();
  nats = await connectNats(server.url, 'fleet', logger);
  missions = await connectNats(server.url, 'missions', logger);
  missions.subscribe(cutOffDockQuestion.subject, {
    callback: (_error, message) => {
      const { data, id } = message.json<{ data: CutOffAsk; id: string }>();
      asked.push(data);
      if (says === null) return;
      const granted = says(data);
      const response = { granted, because: granted ? null : 'flight', missionId: null };
      message.respond(JSON.stringify({ response, isDisposed: true, id }));
    },
  });
  answer(missions, endCutOffQuestion, ({ cutOffId }) => {
    ended.push(cutOffId);
    return { ended: true };
  });
  organisationId = (await dataSource.query<{ id: string }[]>('SELECT id FROM fleet.organisation'))[0]?.id ?? '';
}, 60_000);
afterAll(async () => {
  await missions?.close();
  await nats?.close();
  await server?.remove();
  await drop();
}, 30_000);
beforeEach(() => {
  [says, asked, ended] = [() => true, [], []];
  const docks = new DocksOfAll(dataSource);
  topologies = new Topologies(docks);
  store = new CutOffStore(dataSource);
  own = new OwnCutOffs(new ApiDatabase(api));
  broker = new NotedBroker();
  cutOffs = aReplica();
  registerDock = new RegisterDock(new ApiDatabase(api), docks, broker, topologies);
});
// What a test leaves open would be done in the next one.
afterEach(() => dataSource.query('DELETE FROM fleet.cut_off'));

const aReplica = (connection = nats): CutOffDocks =>
  new CutOffDocks({
    ...{ connection, store, brokerUsers: broker, topologies, logger, firstMs: FIRST_MS },
    metrics: new Metrics(`cut-offs-${Math.random()}`),
  });

async function aDock(): Promise<string> {
  const sn = `FLOOD-${randomUUID().slice(0, 8)}`;
  await registerDock.register(wholeOf(organisationId), {
    sn,
    model: 'dock2',
    protocolGeneration: '1.15',
    name: sn,
    siteId: null,
  });
  broker.calls.length = 0;
  return sn;
}

const aFlood = (sn: string, parts: Partial<DockFlood> = {}): DockFlood => ({
  ...{ v: 1, sn, ingressId: 'one', sinceMs: Date.now() - 60 * SECOND_MS, atMs: Date.now() },
  ...{ messagesPerSecond: 200, bytesPerSecond: 22_528_000 },
  ...parts,
});
const shown = (sn: string) => new DockStore(new ApiDatabase(api)).find(wholeOf(organisationId), sn);
const isCutOff = async (sn: string) => (await shown(sn))?.cut_off_since != null;
const factsOf = async (sn: string) =>
  (
    await dataSource.query<{ subject: string }[]>(
      `SELECT subject FROM fleet.outbox WHERE payload->>'sn' = $1 AND subject LIKE '%utOff%' ORDER BY id`,
      [sn],
    )
  ).map(({ subject }) => subject.split('.').at(-1));
/** As if so much time had passed for the cut-offs of a dock. */
const passes = (sn: string, ms: number) =>
  dataSource.query(
    `UPDATE fleet.cut_off SET until = until - $2::float8 * interval '1 millisecond',
            next_action_at = next_action_at - $2::float8 * interval '1 millisecond',
            reported_at = reported_at - $2::float8 * interval '1 millisecond' WHERE dock_sn = $1`,
    [sn, ms],
  );
const secondsOf = ({ cut_off_since: since, cut_off_until: until }: NonNullable<Awaited<ReturnType<typeof shown>>>) =>
  Math.round(((until?.getTime() ?? 0) - (since?.getTime() ?? 0)) / SECOND_MS);

describe('a dock that stays far over its budget', () => {
  it('is cut off once mission-service has said that it has no flight, and is let in again when its time is over', async () => {
    const sn = await aDock();
    await cutOffs.report(aFlood(sn));
    expect(asked).toMatchObject([{ dockSn: sn, model: 'dock2', organisationId }]);
    expect(broker.calls).toEqual([`disable ${sn}`]);
    expect(await shown(sn)).toMatchObject({ cut_off_reason: 'sends 200 messages and 22000 KiB a second' });
    await cutOffs.run();
    expect(broker.calls).toHaveLength(1);
    await passes(sn, FIRST_MS);
    await cutOffs.run();
    expect(broker.calls).toEqual([`disable ${sn}`, `enable ${sn}`]);
    expect([await isCutOff(sn), ended]).toEqual([false, [asked[0]?.cutOffId]]);
    expect(await factsOf(sn)).toEqual(['dockCutOff', 'dockCutOffEnded']);
    expect(await own.history(wholeOf(organisationId), sn)).toMatchObject([{ ended_by: 'time' }]);
  });

  it.each([
    ['says that it flies', () => false],
    ['does not answer', null],
  ])('stays connected while mission-service %s, and is cut off once it says that it may be', async (_what, no) => {
    const sn = await aDock();
    says = no;
    await cutOffs.report(aFlood(sn));
    expect([broker.calls, await isCutOff(sn), await factsOf(sn)]).toEqual([[], false, []]);
    says = () => true;
    await passes(sn, 10 * SECOND_MS);
    await cutOffs.run();
    expect([broker.calls, await isCutOff(sn)]).toEqual([[`disable ${sn}`], true]);
  });

  it('is not cut off once no ingress has spoken of it for a minute, and mission-service is told', async () => {
    const sn = await aDock();
    says = () => false;
    await cutOffs.report(aFlood(sn));
    says = () => true;
    await passes(sn, 61 * SECOND_MS);
    await cutOffs.run();
    expect([asked.length, ended.length, await isCutOff(sn)]).toEqual([1, 1, false]);
    expect(broker.calls).not.toContain(`disable ${sn}`);
  });

  it('is cut off four times as long each time within a day, and never longer than six hours', async () => {
    const sn = await aDock();
    const seconds: number[] = [];
    for (let time = 0; time < 5; time++) {
      await cutOffs.report(aFlood(sn, { sinceMs: Date.now() + SECOND_MS }));
      const dock = await shown(sn);
      if (dock !== undefined) seconds.push(secondsOf(dock));
      await passes(sn, 7 * 3_600 * SECOND_MS);
      await cutOffs.run();
    }
    expect(seconds).toEqual([600, 2_400, 9_600, 21_600, 21_600]);
  });

  it('is not cut off again for what it sent before it was let in', async () => {
    const sn = await aDock();
    const flood = aFlood(sn);
    await cutOffs.report(flood);
    await own.endByPerson(wholeOf(organisationId), sn);
    await cutOffs.run();
    await cutOffs.report({ ...flood, atMs: Date.now() });
    expect(await isCutOff(sn)).toBe(false);
    await cutOffs.report(aFlood(sn, { sinceMs: Date.now() + SECOND_MS }));
    expect(await isCutOff(sn)).toBe(true);
  });

  it('is heard of over NATS, and an aircraft floods for its dock; nobody is cut off for a device that is not ours', async () => {
    const sn = await aDock();
    await dataSource.query(
      'INSERT INTO fleet.aircraft (sn, organisation_id, dock_sn, online) VALUES ($1, $2, $3, true)',
      [`${sn}-A`, organisationId, sn],
    );
    const stop = cutOffs.listen();
    await nats.flush();
    for (const from of ['STRANGER', `${sn}-A`]) missions.publish(floodSubject(from), JSON.stringify(aFlood(from)));
    missions.publish(floodSubject('STRANGER'), 'no JSON');
    await eventually('the dock is cut off', () => broker.calls.includes(`disable ${sn}`));
    stop();
    expect(broker.calls).toEqual([`disable ${sn}`]);
  });
});

describe('a dock that is cut off', () => {
  async function aCutOffDock(): Promise<string> {
    const sn = await aDock();
    await cutOffs.report(aFlood(sn));
    expect(broker.calls).toEqual([`disable ${sn}`]);
    broker.calls.length = 0;
    return sn;
  }

  it('is let in at once when a person ends it', async () => {
    const sn = await aCutOffDock();
    expect(await own.endByPerson(wholeOf(randomUUID()), sn)).toBe(false);
    expect(await own.endByPerson(wholeOf(organisationId), sn)).toBe(true);
    await cutOffs.run();
    expect([broker.calls, ended.length, await isCutOff(sn)]).toEqual([[`enable ${sn}`], 1, false]);
    expect(await own.endByPerson(wholeOf(organisationId), sn)).toBe(false);
  });

  it('stays out when a person keeps it, and its missions are held back until that is ended', async () => {
    const sn = await aCutOffDock();
    expect([await own.keep(wholeOf(organisationId), sn), await own.keep(wholeOf(organisationId), sn)]).toEqual([
      true,
      true,
    ]);
    await cutOffs.run();
    expect(asked.at(-1)).toMatchObject({ dockSn: sn, untilMs: null });
    await passes(sn, 7 * 24 * 3_600 * SECOND_MS);
    await cutOffs.run();
    expect(await shown(sn)).toMatchObject({ cut_off_since: expect.any(Date), cut_off_until: null });
    await own.endByPerson(wholeOf(organisationId), sn);
    await cutOffs.run();
    expect(broker.calls.at(-1)).toBe(`enable ${sn}`);
  });

  it('is not taken from a flight that began after its time was over, though a person keeps it out', async () => {
    const sn = await aDock();
    broker.down = true;
    await cutOffs.report(aFlood(sn));
    await passes(sn, FIRST_MS);
    // Starts are held back no longer, and the broker never had the command.
    [says, broker.down] = [() => false, false];
    expect(await own.keep(wholeOf(organisationId), sn)).toBe(false);
    await cutOffs.run();
    expect(broker.calls).not.toContain(`disable ${sn}`);
    expect(await isCutOff(sn)).toBe(false);
  });

  it('is kept out by a person only once mission-service holds its missions back for that', async () => {
    const sn = await aDock();
    broker.down = true;
    await cutOffs.report(aFlood(sn));
    expect(await own.keep(wholeOf(organisationId), sn)).toBe(true);
    [says, broker.down] = [() => false, false];
    await cutOffs.run();
    expect([asked.at(-1)?.untilMs, broker.calls]).toEqual([null, []]);
    says = () => true;
    await passes(sn, 10 * SECOND_MS);
    await cutOffs.run();
    expect(broker.calls).toEqual([`disable ${sn}`]);
  });

  it('is let in by a process that was started anew, and once the broker and mission-service are there again', async () => {
    const sn = await aCutOffDock();
    await passes(sn, FIRST_MS);
    broker.down = true;
    const another = aReplica();
    await another.run();
    expect([broker.calls, await isCutOff(sn)]).toEqual([[], false]);
    broker.down = false;
    await passes(sn, 5 * SECOND_MS);
    await another.run();
    expect([broker.calls, ended.length]).toEqual([[`enable ${sn}`], 1]);
  });

  it('is acted for by one of two replicas', async () => {
    const sn = await aDock();
    says = () => false;
    await cutOffs.report(aFlood(sn));
    [says, asked] = [() => true, []];
    await passes(sn, 10 * SECOND_MS);
    await Promise.all([cutOffs.run(), aReplica().run(), aReplica().run()]);
    expect([asked.length, broker.calls]).toEqual([1, [`disable ${sn}`]]);
  });

  it('is let in although it was ended while another replica was about to cut it off', async () => {
    const sn = await aDock();
    broker.meanwhile = async () => {
      await own.endByPerson(wholeOf(organisationId), sn);
      await aReplica().run();
    };
    await cutOffs.report(aFlood(sn));
    // The first is of the replica that knew of the end, and came too early.
    expect(broker.calls).toEqual([`enable ${sn}`, `disable ${sn}`, `enable ${sn}`]);
    expect(await isCutOff(sn)).toBe(false);
  });

  it('is cut off once more when it gets new credentials, which the broker lets in', async () => {
    const sn = await aCutOffDock();
    await registerDock.renew(wholeOf(organisationId), sn);
    await cutOffs.run();
    expect(broker.calls).toEqual([`provision ${sn}`, `disable ${sn}`]);
    expect(await isCutOff(sn)).toBe(true);
  });

  it('holds no missions back any more once it was retired', async () => {
    const sn = await aCutOffDock();
    await new ChangeDock(new ApiDatabase(api), new DocksOfAll(dataSource), broker, topologies).retire(
      wholeOf(organisationId),
      sn,
    );
    await cutOffs.run();
    expect([ended.length, await isCutOff(sn)]).toEqual([1, false]);
    await expect(cutOffs.report(aFlood(sn))).resolves.toBeUndefined();
    expect(broker.calls).not.toContain(`disable ${sn}`);
  });

  it('leaves no more rows than the latest hundred', async () => {
    const sn = await aDock();
    await dataSource.query(
      `INSERT INTO fleet.cut_off (organisation_id, dock_sn, reason, reported_at, asked_at, since, until, ended_at, ended_by,
         settled_at, closed_at)
       SELECT $1, $2, 'x', n, n, n, n, n, 'time', n, n FROM generate_series(1, 130) i,
              LATERAL (SELECT clock_timestamp() - interval '1 day' - i * interval '1 hour' AS n) at`,
      [organisationId, sn],
    );
    await cutOffs.report(aFlood(sn));
    expect(await own.history(wholeOf(organisationId), sn)).toHaveLength(MAX_CUT_OFFS);
    const [{ count } = { count: 0 }] = await dataSource.query<{ count: number }[]>(
      'SELECT count(*)::int AS count FROM fleet.cut_off WHERE dock_sn = $1',
      [sn],
    );
    expect(count).toBe(MAX_CUT_OFFS + 1);
  });
});

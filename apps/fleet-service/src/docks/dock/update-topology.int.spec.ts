import { randomUUID } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../../fixtures/fleet-database.js';
import { BrokerUsers } from '../broker/broker-users.js';
import { DocksOfAll } from '../dock.store.js';
import { Topologies } from '../topologies.js';
import { AnswerRequests } from './answer-requests.js';
import { UpdateTopology } from './update-topology.js';

/** The broker is another part's story; what was asked of it is kept. */
class NotedGrants extends BrokerUsers {
  readonly grants: { dockSn: string; aircraftSns: readonly string[] }[] = [];
  override async provision(): Promise<void> {}
  override async grantAircraft(dockSn: string, aircraftSns: readonly string[]): Promise<void> {
    this.grants.push({ dockSn, aircraftSns });
  }
  override async disable(): Promise<void> {}
  override async enable(): Promise<void> {}
  override async remove(): Promise<void> {}
}

const logger = createLogger('fleet-spec', 'silent');
let dataSource: DataSource;
let docksOfAll: DocksOfAll;
let broker: NotedGrants;
let updateTopology: UpdateTopology;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
  docksOfAll = new DocksOfAll(dataSource);
}, 60_000);
afterAll(() => drop(), 30_000);
beforeEach(() => {
  broker = new NotedGrants();
  updateTopology = new UpdateTopology(dataSource, broker, new Topologies(docksOfAll), logger);
});

async function aDock(): Promise<string> {
  const sn = `DOCK-${randomUUID().slice(0, 8)}`;
  await dataSource.query(
    `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, provisioned_at)
     SELECT $1, id, 'dock2', '1.15', 'irrelevant', now() FROM fleet.organisation`,
    [sn],
  );
  return sn;
}

let clockMs = 1_700_000_000_000;
/** The dock says which aircraft it has. */
function tell(dockSn: string, aircraftSns: readonly string[], receivedAtMs = ++clockMs): Promise<void> {
  const data = { sub_devices: aircraftSns.map((sn) => ({ sn, device_secret: 'canary-secret' })) };
  const tid = randomUUID();
  const fact = { sn: dockSn, tid, receivedAtMs, data, raw: '', topic: '' } as unknown as DockFact;
  return updateTopology.execute(dockSn, fact, data, tid);
}
const speakerFor = async (sn: string): Promise<string | undefined> => (await docksOfAll.speakerFor(sn))?.sn;

it('binds the aircraft to the dock that told of it, and lets the dock speak for it at the broker', async () => {
  const [dock, aircraft] = [await aDock(), randomUUID()];
  await tell(dock, [aircraft]);
  expect(await speakerFor(aircraft)).toBe(dock);
  expect(broker.grants).toEqual([{ dockSn: dock, aircraftSns: [aircraft] }]);
});

it('gives the aircraft to another dock once the first one told that it is gone', async () => {
  const [first, second, aircraft] = [await aDock(), await aDock(), randomUUID()];
  await tell(first, [aircraft]);
  await tell(first, []);
  await tell(second, [aircraft]);
  expect(await speakerFor(aircraft)).toBe(second);
});

it('takes the right to speak for an aircraft from the dock that lost it before another gets it', async () => {
  const [first, second, aircraft] = [await aDock(), await aDock(), randomUUID()];
  await tell(first, [aircraft]);
  await tell(first, []);
  broker.grants.length = 0;
  await tell(second, [aircraft]);
  expect(broker.grants).toEqual([
    { dockSn: first, aircraftSns: [] },
    { dockSn: second, aircraftSns: [aircraft] },
  ]);
});

it('still takes an aircraft for its dock after the dock reported it gone', async () => {
  const [dock, aircraft] = [await aDock(), randomUUID()];
  await tell(dock, [aircraft]);
  await tell(dock, []);
  expect(await speakerFor(aircraft)).toBe(dock);
});

it('never takes a dock for an aircraft', async () => {
  const [dock, other] = [await aDock(), await aDock()];
  await tell(dock, [other]);
  expect(await speakerFor(other)).toBe(other);
  expect(broker.grants).toEqual([]);
});

it('does not let an older topology that comes late undo a newer one', async () => {
  const [dock, aircraft] = [await aDock(), randomUUID()];
  const earlierMs = ++clockMs;
  await tell(dock, [aircraft]);
  await tell(dock, [], earlierMs);
  expect(await speakerFor(aircraft)).toBe(dock);
});

it('takes the next topology also after one whose time lay in the future', async () => {
  const [dock, aircraft] = [await aDock(), randomUUID()];
  await tell(dock, [], Date.now() + 150_000);
  await tell(dock, [aircraft], Date.now());
  expect(await speakerFor(aircraft)).toBe(dock);
});

it('keeps no secret of the topology', async () => {
  const dock = await aDock();
  await tell(dock, [randomUUID()]);
  const [row] = await dataSource.query<{ topology: unknown }[]>('SELECT topology FROM fleet.dock WHERE sn = $1', [
    dock,
  ]);
  expect(JSON.stringify(row?.topology)).not.toContain('canary-secret');
});

it('takes a handful of the aircraft of a topology that names hundreds', async () => {
  const dock = await aDock();
  await tell(
    dock,
    Array.from({ length: 400 }, () => randomUUID()),
  );
  expect(broker.grants.map(({ aircraftSns }) => aircraftSns.length)).toEqual([8]);
  const [row] = await dataSource.query<{ bytes: number }[]>(
    'SELECT length(topology::text) AS bytes FROM fleet.dock WHERE sn = $1',
    [dock],
  );
  expect(row?.bytes).toBeLessThan(2_000);
});

it('keeps a handful of aircraft of a dock that names others each time, the present one among them', async () => {
  const dock = await aDock();
  const aircraft = Array.from({ length: 12 }, () => randomUUID());
  for (const sn of aircraft) await tell(dock, [sn]);
  const last = broker.grants.at(-1)?.aircraftSns ?? [];
  expect(last.length).toBeLessThanOrEqual(8);
  expect(last).toContain(aircraft.at(-1));
  expect(await speakerFor(aircraft.at(-1) ?? '')).toBe(dock);
});

const modelOf = async (sn: string): Promise<string | null | undefined> =>
  (await docksOfAll.speakerFor(sn))?.aircraftModelKey;
/** The dock says which aircraft it has, with these members. */
function tellOf(dockSn: string, aircraft: Readonly<Record<string, unknown>>): Promise<void> {
  const data = { sub_devices: [aircraft] } as never;
  const tid = randomUUID();
  const fact = { sn: dockSn, tid, receivedAtMs: ++clockMs, data, raw: '', topic: '' } as unknown as DockFact;
  return updateTopology.execute(dockSn, fact, data, tid);
}

it('keeps the model of the aircraft, and keeps it when a later topology does not name it', async () => {
  const [dock, sn] = [await aDock(), randomUUID()];
  await tellOf(dock, { sn, domain: '0', type: 91, sub_type: 1 });
  expect(await modelOf(dock)).toBe('0-91-1');
  await tellOf(dock, { sn });
  await tell(dock, []);
  expect(await modelOf(dock)).toBe('0-91-1');
  // [Cloud API 1.3.0] No device says its domain.
  await tellOf(dock, { sn, type: 91, sub_type: 0 });
  expect(await modelOf(dock)).toBe('0-91-0');
});

it('says that it does not know the model of an aircraft that names none', async () => {
  const dock = await aDock();
  await tellOf(dock, { sn: randomUUID(), domain: '2', type: 119, sub_type: 0 });
  expect(await modelOf(dock)).toBeNull();
});

it('takes the model from the binding until a topology names it, and only of the aircraft that was bound', async () => {
  const [dock, sn] = [await aDock(), randomUUID()];
  const organizations = await dataSource.query<{ id: string }[]>('SELECT id FROM fleet.organisation');
  await dataSource.query('UPDATE fleet.dock SET bound_at = now() WHERE sn = $1', [dock]);
  const common = { device_binding_code: 'used', organization_id: organizations[0]?.id ?? '' };
  await new AnswerRequests(dataSource, {} as never).organizationBind(dock, {
    bind_devices: [
      { ...common, sn: dock, device_model_key: '3-2-0' },
      { ...common, sn, device_model_key: '0-91-1' },
    ],
  });
  expect(await modelOf(dock)).toBe('0-91-1');
  expect((await docksOfAll.speakerFor(dock))?.reportedModel).toBe('dock2');
  await tellOf(dock, { sn });
  expect(await modelOf(dock)).toBe('0-91-1');
  await tellOf(dock, { sn: randomUUID() });
  expect(await modelOf(dock)).toBeNull();
});

it('keeps no model of a binding that it refuses', async () => {
  const dock = await aDock();
  const device = { device_binding_code: 'wrong', organization_id: randomUUID() };
  await new AnswerRequests(dataSource, {} as never).organizationBind(dock, {
    bind_devices: [
      { ...device, sn: dock, device_model_key: '3-2-0' },
      { ...device, sn: randomUUID(), device_model_key: '0-91-1' },
    ],
  });
  expect(await modelOf(dock)).toBeNull();
});

const reported = async (sn: string): Promise<string | null | undefined> =>
  (await docksOfAll.speakerFor(sn))?.reportedModel;
/** The dock says what it is. */
function tellModel(dockSn: string, data: Readonly<Record<string, unknown>>): Promise<void> {
  const tid = randomUUID();
  const topology = { ...data, sub_devices: [] } as never;
  const fact = { sn: dockSn, tid, receivedAtMs: ++clockMs, data: topology, raw: '', topic: '' } as unknown as DockFact;
  return updateTopology.execute(dockSn, fact, topology, tid);
}

it('keeps the model that the dock reports of itself, and trusts the newest topology', async () => {
  const dock = await aDock();
  expect(await reported(dock)).toBeNull();
  await tellModel(dock, { domain: '3', type: 1, sub_type: 0 });
  expect(await reported(dock)).toBe('dock1');
  await tellModel(dock, {});
  expect(await reported(dock)).toBe('dock1');
  // Up to 1.6 no device says its domain.
  await tellModel(dock, { type: 2, sub_type: 0 });
  expect(await reported(dock)).toBe('dock2');
});

it('reports no model of a dock that names one that is not known', async () => {
  const dock = await aDock();
  await tellModel(dock, { domain: '0', type: 1, sub_type: 0 });
  await tellModel(dock, { domain: '3', type: 98, sub_type: 0 });
  expect(await reported(dock)).toBeNull();
});

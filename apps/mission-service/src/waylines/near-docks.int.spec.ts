import { type Reach, wholeOf } from '@aerie/persistence';
import { type DockRecord, findDocksQuestion } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { DEFAULT_POLICY } from '@aerie/mission-core';
import { createLogger } from '@aerie/observability';
import { startPrivateNats } from '@aerie/testing';
import type { PolicyStore } from '../missions/store/policy.store.js';
import type { Route } from './kmz/index.js';
import { NearDocks } from './near-docks.js';

const logger = createLogger('near-docks-spec', 'silent');
const ORGANISATION = '11111111-1111-4111-8111-111111111111';
const START = { latitude: 47.3, longitude: 8.5 };
const north = (meters: number) => ({ ...START, latitude: START.latitude + meters / 111_195 });

const closers: (() => unknown)[] = [];
let url = '';
beforeAll(async () => {
  const nats = await startPrivateNats();
  closers.push(() => nats.remove());
  url = nats.url;
}, 60_000);
afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 30_000);

const open: NatsConnection[] = [];
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close();
});
async function connect(): Promise<NatsConnection> {
  const connection = await connectNats(url, 'near-docks-spec', logger);
  open.push(connection);
  return connection;
}

type Place = typeof START | null | undefined;

/** fleet-service with docks at these places; its answers hold 500 docks at most. */
async function fleetWith(places: readonly Place[]): Promise<void> {
  const docks = places.map((place, index): DockRecord => {
    const sn = `D-${String(index).padStart(5, '0')}`;
    const dock = { sn, organisationId: ORGANISATION, model: 'dock2', protocolGeneration: '1.15', name: sn } as const;
    const position = place && { ...place, source: 'dock' as const, setAt: new Date(0).toISOString() };
    return { ...dock, aircraftSn: null, ...(position === undefined ? {} : { position }) };
  });
  const connection = await connect();
  answer(connection, findDocksQuestion, ({ organisationId, after = '', limit }) => ({
    docks: organisationId === ORGANISATION ? docks.filter(({ sn }) => sn > after).slice(0, limit) : [],
  }));
  await connection.flush();
}

async function warnings(
  waypoints: readonly (typeof START)[],
  maximumMeters = 5_000,
  reach: Reach = wholeOf(ORGANISATION),
): Promise<readonly string[]> {
  const policies = { of: async () => ({ preflight: { ...DEFAULT_POLICY, distance: { maximumMeters } } }) };
  const nearDocks = new NearDocks(await connect(), policies as unknown as PolicyStore, logger);
  const routes = [{ waypoints }] as unknown as Route[];
  return (await nearDocks.warningsOf(reach, routes)).map(({ message }) => message);
}

const FAR = { latitude: 6.6, longitude: 96.5 };

it('warns when every dock is too far away, and names the nearest', async () => {
  await fleetWith([FAR, north(-9_000), null, north(-20_000)]);
  expect(await warnings([START, north(100)])).toEqual([
    expect.stringContaining('the first waypoint is nearest to dock D-00001, 9000 m away'),
  ]);
});

it('compares the docks that whoever uploads it reaches, and names no other', async () => {
  await fleetWith([START, north(-9_000), north(-7_000)]);
  const limited = { organisationId: ORGANISATION, dockSns: ['D-00001'] };
  expect(await warnings([START], 5_000, limited)).toEqual([expect.stringContaining('nearest to dock D-00001, 9000 m')]);
  expect(await warnings([START], 5_000, { ...limited, dockSns: [] })).toEqual([]);
});

it('does not warn when one dock is near', async () => {
  await fleetWith([FAR, north(-4_000)]);
  expect(await warnings([START, north(900)])).toEqual([]);
});

it('warns when the route begins near a dock and leaves its range', async () => {
  await fleetWith([START]);
  expect(await warnings([START, north(5_100), START])).toHaveLength(1);
});

it('follows the policy of the organisation', async () => {
  await fleetWith([north(-9_000)]);
  expect(await warnings([START], 10_000)).toEqual([]);
  expect(await warnings([START], 8_000)).toHaveLength(1);
});

it('looks at all docks, also beyond one answer of fleet-service', async () => {
  await fleetWith([...Array.from({ length: 1_200 }, () => FAR), START]);
  expect(await warnings([START])).toEqual([]);
});

it.each([
  ['no position is known', [null, undefined]],
  ['there is no dock', []],
])('does not warn while %s', async (_what, places) => {
  await fleetWith(places);
  expect(await warnings([START])).toEqual([]);
});

it('does not warn while fleet-service does not answer', async () => {
  expect(await warnings([START])).toEqual([]);
});

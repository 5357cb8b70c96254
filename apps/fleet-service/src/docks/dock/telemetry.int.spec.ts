import { NOTE_SUBJECTS, type DockNote, RECEIVED_AT_HEADER, osdSubject, rawOsdSubject } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { Metrics, createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { headers } from '@nats-io/transport-node';
import type { DockPositions } from '../dock-positions.js';
import type { Topologies } from '../topologies.js';
import type { DockStates } from '../../dock-state/dock-states.js';
import { Telemetry } from './telemetry.js';

const AIRCRAFT = 'AIRCRAFT-1';
const STRANGER = 'STRANGER-1';
const RECEIVED_AT_MS = Date.now() - 3_000;
const logger = createLogger('telemetry-spec', 'silent');

let nats: PrivateServer;
let connection: NatsConnection;
let telemetry: Telemetry;
let merged: unknown[];
let seen: unknown[];
let positions: unknown[];
let notes: DockNote[];

beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'telemetry-spec', logger);
  connection.subscribe(NOTE_SUBJECTS, { callback: (_error, message) => void notes.push(message.json()) });
});
afterAll(async () => {
  await connection.close();
  await nats.remove();
});
beforeEach(async () => {
  [merged, seen, positions, notes] = [[], [], [], []];
  telemetry = new Telemetry({
    connection,
    states: {
      merge: (...given: unknown[]) => void merged.push(given),
      seen: (...given: unknown[]) => void seen.push(given),
    } as unknown as DockStates,
    topologies: {
      dockFor: async (sn: string) => (sn === STRANGER ? null : sn === AIRCRAFT ? 'DOCK-1' : sn),
    } as unknown as Topologies,
    positions: { note: (...given: unknown[]) => void positions.push(given) } as unknown as DockPositions,
    logger,
    metrics: new Metrics('telemetry'),
  });
  await connection.flush();
});
afterEach(() => telemetry.stop());

function publish(sn: string, payload: string, receivedAtMs: number | null = RECEIVED_AT_MS): void {
  const told = headers();
  if (receivedAtMs !== null) told.set(RECEIVED_AT_HEADER, String(receivedAtMs));
  connection.publish(rawOsdSubject(sn), payload, { headers: told });
}
const anOsd = (data: unknown, timestamp = RECEIVED_AT_MS - 500): string =>
  JSON.stringify({ tid: 't', bid: 'b', timestamp, gateway: 'DOCK-1', data });
const untilMerged = () => eventually('it is taken', () => merged.length > 0);

it('is read as it came, with the time when the ingress received it, and numbers that are texts are numbers', async () => {
  publish('DOCK-1', anOsd({ mode_code: '0', height: 7 }));
  await untilMerged();
  expect(merged).toEqual([['DOCK-1', { mode_code: 0, height: 7 }, RECEIVED_AT_MS, RECEIVED_AT_MS - 500]]);
  expect(positions).toEqual([['DOCK-1', { mode_code: 0, height: 7 }]]);
});

it('counts as received now when nobody says when', async () => {
  const beganMs = Date.now();
  publish('DOCK-1', anOsd({ height: 7 }), null);
  await untilMerged();
  const [, , receivedAtMs] = merged[0] as [string, unknown, number];
  expect(receivedAtMs).toBeGreaterThanOrEqual(beganMs);
});

it("of an aircraft is a sign of life of its dock, and that of a stranger is nobody's", async () => {
  publish(STRANGER, anOsd({ height: 1 }));
  publish(AIRCRAFT, anOsd({ height: 2 }));
  await untilMerged();
  expect(merged).toEqual([[AIRCRAFT, { height: 2 }, RECEIVED_AT_MS, RECEIVED_AT_MS - 500]]);
  expect([seen, positions]).toEqual([[['DOCK-1', RECEIVED_AT_MS]], []]);
});

it('with its properties beside the envelope is read, and the dock gets a note', async () => {
  publish('DOCK-1', JSON.stringify({ tid: 't', bid: 'b', timestamp: RECEIVED_AT_MS, height: 7 }));
  await untilMerged();
  expect(merged).toEqual([['DOCK-1', { height: 7 }, RECEIVED_AT_MS, RECEIVED_AT_MS]]);
  await eventually('there is a note', () => notes.length > 0);
  expect(notes).toMatchObject([{ sn: 'DOCK-1', code: 'flat_properties' }]);
});

it.each([
  ['no JSON', '{', 'payload is not JSON'],
  ['no properties', '{"data":[1]}', 'data: expected an object'],
  ['no text', '{"data":{"a":"\\u0000"}}', 'payload contains the NUL character'],
])('that is %s is left out with a note, and holds up nothing', async (_what, payload, detail) => {
  publish('DOCK-2', payload);
  publish('DOCK-1', anOsd({ height: 7 }));
  await untilMerged();
  expect(merged).toHaveLength(1);
  await eventually('there is a note', () => notes.length > 0);
  expect(notes).toMatchObject([{ sn: 'DOCK-2', code: 'unreadable_telemetry', detail }]);
});

it('of an ingress of the release before is taken too', async () => {
  const fact = { v: 1, sn: 'DOCK-1', gateway: null, timestampMs: 5, receivedAtMs: 6, data: { height: 7 } };
  connection.publish(osdSubject('DOCK-1'), JSON.stringify(fact));
  await untilMerged();
  expect(merged).toEqual([['DOCK-1', { height: 7 }, 6, 5]]);
});

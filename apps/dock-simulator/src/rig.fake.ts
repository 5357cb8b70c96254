import { randomUUID } from 'node:crypto';
import { FakeCloud, FakeStorage } from './cloud.fake.js';
import { type DockHandle, startDock } from './handle.js';
import { makeSampleKmz } from './sample-kmz.js';
import type { DockOptions } from './settings.js';
import { objectOf } from './wire.js';

const mqttUrl = process.env['AERIE_TEST_MQTT_URL'] ?? '';
const position = { latitude: 47.3977, longitude: 8.5456, heightMeters: 488 };
/** Below the thirty seconds of a test, so that the message of the wait is what one reads. */
export const WAIT_MS = 20_000;

export let storage: FakeStorage;
export let cloud: FakeCloud;
export let dock: DockHandle;

/** One broker from the environment, one storage for all tests of a file, one dock and one cloud for each. */
export function useRig(): void {
  beforeAll(async () => {
    if (mqttUrl === '')
      throw new Error('AERIE_TEST_MQTT_URL is not set: these tests need a broker, mqtt://127.0.0.1:port');
    storage = await FakeStorage.serve(await makeSampleKmz({ originLatitude: 47.3977, originLongitude: 8.5456 }));
  });

  afterAll(async () => {
    await storage?.close();
  });

  afterEach(async () => {
    if (storage) storage.status = 200;
    await dock?.stop();
    await cloud?.leave();
  });
}

export async function meetCloud(): Promise<string> {
  const sn = `T${randomUUID().slice(0, 8)}`;
  cloud = await FakeCloud.meet(mqttUrl, sn);
  return sn;
}

export async function begin(sn: string, options: Partial<DockOptions> = {}): Promise<void> {
  dock = await startDock({
    sn,
    mqttUrl,
    position,
    speed: 400,
    osdIntervalMs: 60,
    resendScheduleMs: [150, 200, 250],
    requestTimeoutMs: 100,
    reconnectMs: 20,
    rebootMs: 30,
    mediaBytes: 0,
    storageRetryMs: 20,
    ...options,
  });
}

/** A dock online, with a cloud that answers everything. */
export async function aDock(options: Partial<DockOptions> = {}): Promise<void> {
  await begin(await meetCloud(), options);
  await dock.waitFor('online', WAIT_MS);
}

export function aTask(flightId: string, changes: object = {}): object {
  return {
    flight_id: flightId,
    task_type: 0,
    execute_time: Date.now(),
    file: storage.file,
    rth_altitude: 60,
    rth_mode: 1,
    out_of_control_action: 0,
    exit_wayline_when_rc_lost: 0,
    wayline_precision_type: 1,
    ...changes,
  };
}

export async function fly(flightId: string = randomUUID()): Promise<string> {
  expect(await cloud.result('flighttask_prepare', aTask(flightId), flightId)).toBe(0);
  expect(await cloud.result('flighttask_execute', { flight_id: flightId }, flightId)).toBe(0);
  return flightId;
}

export function statusesHeard(): unknown[] {
  const statuses = cloud.of('flighttask_progress').map(({ data }) => objectOf(data['output'])['status']);
  return statuses.filter((status, position) => status !== statuses[position - 1]);
}

export const settled = (): Promise<void> => dock.waitFor(({ state }) => state.unansweredEvents === 0, WAIT_MS);

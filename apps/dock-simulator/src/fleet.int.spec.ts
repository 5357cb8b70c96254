import { randomUUID } from 'node:crypto';
import { fleetSn, startFleet } from './fleet.js';
import { useRig } from './rig.fake.js';

useRig();

const mqttUrl = process.env['AERIE_TEST_MQTT_URL'] ?? '';
/** Without a cloud: one short try for each question. */
const alone = { mqttUrl, requestAttempts: 1, requestTimeoutMs: 20, reconnectMs: 20 };

describe('a fleet', () => {
  it('connects its docks, so many at a time, and gives them in order', async () => {
    const snPrefix = `F${randomUUID().slice(0, 6)}-`;
    const onlineSeen: number[] = [];
    const docks = await startFleet({
      ...{ ...alone, count: 12, snPrefix, batch: 4 },
      each: (_sn, number) => ({ batteryPercent: 40 + number }),
      onOnline: (online) => onlineSeen.push(online),
    });
    expect(docks.map(({ sn }) => sn)).toEqual(Array.from({ length: 12 }, (_, index) => fleetSn(snPrefix, index + 1)));
    expect(docks.every(({ state }) => state.online)).toBe(true);
    expect(docks.map(({ state }) => Math.floor(state.batteryPercent))).toEqual(docks.map((_, index) => 41 + index));
    expect(onlineSeen).toEqual(docks.map((_, index) => index + 1));
    await Promise.all(docks.map((dock) => dock.stop()));
  });

  it('stops all when one does not get online', async () => {
    const snPrefix = `F${randomUUID().slice(0, 6)}-`;
    const fleet = startFleet({
      ...{ ...alone, count: 3, snPrefix, onlineWithinMs: 500 },
      each: (_sn, number) => (number === 2 ? { mqttUrl: 'mqtt://127.0.0.1:1' } : {}),
    });
    await expect(fleet).rejects.toThrow('waited 500 ms for "online"');
  });

  it('refuses a size that makes no sense', async () => {
    await expect(startFleet({ ...alone, count: 0 })).rejects.toThrow('count');
  });
});

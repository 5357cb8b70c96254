import { randomUUID } from 'node:crypto';
import { aDock, aTask, cloud, dock, fly, settled, statusesHeard, useRig, WAIT_MS } from './rig.fake.js';

useRig();

describe('what a test does with a dock', () => {
  it('makes it say a value at once and from then on, and takes that back', async () => {
    await aDock({ osdIntervalMs: 60_000 });
    const heard = (value: number) => cloud.hears(({ data }) => data['rainfall'] === value);
    dock.setProperty('rainfall', 3);
    expect((await heard(3)).data).toMatchObject({ rainfall: 3, emergency_stop_state: 0 });
    dock.setProperty('rainfall', null);
    await heard(0);
  });

  it('makes it forget what was prepared, while it flies on', async () => {
    await aDock({ speed: 100 });
    const flightId = await fly();
    const later = { task_type: 1, execute_time: Date.now() + 60_000 };
    expect(await cloud.result('flighttask_prepare', aTask('later', later))).toBe(0);
    dock.forgetTasks();
    expect(dock.state.preparedTasks).toEqual([]);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'ok' }]);
    expect(await cloud.result('flighttask_execute', { flight_id: 'later' })).toBe(319003);
  });

  it('makes it fly and report what nobody ordered, and refuse meanwhile', async () => {
    await aDock();
    await cloud.result('flighttask_prepare', aTask('ours'));
    const foreign = randomUUID();
    expect(dock.flyForeign(foreign, 1_200)).toBe(true);
    const startedMs = Date.now();
    expect(dock.flyForeign('another', 1_000)).toBe(false);
    expect(await cloud.result('flighttask_execute', { flight_id: 'ours' })).toBe(319016);
    await dock.waitFor('ended', WAIT_MS);
    expect(Date.now() - startedMs).toBeGreaterThan(1_000);
    await settled();
    expect(statusesHeard()).toEqual(['sent', 'in_progress', 'ok']);
    expect(cloud.of('flighttask_progress').every(({ bid }) => bid === foreign)).toBe(true);
    expect(dock.commandsOf('flighttask_execute')).toHaveLength(1);
  });

  it('hurries a flight that has begun in real time', async () => {
    await aDock({ speed: 1 });
    await fly();
    await dock.waitFor(({ state }) => state.flight?.status === 'in_progress', WAIT_MS);
    dock.setSpeed(400);
    await dock.waitFor('ended', WAIT_MS);
    expect(() => dock.setSpeed(0)).toThrow('speed');
  });

  it('has a pilot take it over in the middle of its route', async () => {
    await aDock({ speed: 150 });
    expect(dock.takeOver()).toBe(false);
    const flightId = await fly();
    await dock.waitFor(({ state }) => state.flight?.phase === 'route', WAIT_MS);
    expect(dock.takeOver()).toBe(true);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 322282 }]);
  });
});

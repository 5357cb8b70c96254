import { aDock, cloud, dock, fly, settled, statusesHeard, useRig, WAIT_MS } from './rig.fake.js';

useRig();

const onRoute = (): Promise<void> => dock.waitFor(({ state }) => state.flight?.phase === 'route', WAIT_MS);

describe('flighttask_stop', () => {
  it('brings what flies home and ends it as canceled', async () => {
    await aDock({ speed: 150 });
    const flightId = await fly();
    await onRoute();
    expect(await cloud.result('flighttask_stop', { flight_id: flightId, reason: 0 })).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    expect(dock.facts.map(({ name }) => name)).toContain('landed');
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'canceled', result: 0 }]);
    expect(statusesHeard()).toEqual(['sent', 'in_progress', 'canceled']);
  });

  it('ends what has not taken off at once', async () => {
    await aDock({ speed: 1 });
    const flightId = await fly();
    expect(await cloud.result('flighttask_stop', { flight_id: flightId, reason: 1 })).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.takeoffs).toEqual([]);
    await cloud.hears(({ data }) => JSON.stringify(data).includes('"canceled"'));
  });

  it('does not know another flight, nor any when nothing runs', async () => {
    await aDock({ speed: 100 });
    expect(await cloud.result('flighttask_stop', { flight_id: 'nobody', reason: 0 })).toBe(319003);
    await fly();
    expect(await cloud.result('flighttask_stop', { flight_id: 'other', reason: 0 })).toBe(319003);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ status: 'ok' }]);
  });

  it('is not known to a Dock 1', async () => {
    await aDock({ model: 'dock1' });
    expect(await cloud.result('flighttask_stop', { flight_id: 'a', reason: 0 })).toBe(314000);
    expect(await cloud.result('return_specific_home', { home_dock_sn: 'OTHER' })).toBe(314000);
  });
});

describe('return_specific_home', () => {
  it('comes back like a return by the user, and notes where it was sent', async () => {
    await aDock({ speed: 150 });
    const flightId = await fly();
    await onRoute();
    expect(await cloud.result('return_specific_home', { home_dock_sn: 'OTHER' })).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.facts.find(({ name }) => name === 'returning')?.detail).toEqual({ flightId, homeDockSn: 'OTHER' });
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 322283 }]);
  });

  it('needs a dock to return to, and an aircraft in the air', async () => {
    await aDock();
    expect(await cloud.result('return_specific_home', {})).toBe(314001);
    expect(await cloud.result('return_specific_home', { home_dock_sn: 'OTHER' })).toBe(316024);
  });
});

describe('return_home_cancel', () => {
  it('tells that the aircraft is not returning any more, and that it is again', async () => {
    await aDock({ speed: 60 });
    await fly();
    await dock.waitFor('takeOff', WAIT_MS);
    await dock.waitFor(({ state }) => (state.flight?.elevationMeters ?? 0) > 30, WAIT_MS);
    expect(await cloud.result('return_home', {})).toBe(0);
    await dock.waitFor(({ state }) => state.flight?.phase === 'returning', WAIT_MS);
    expect(await cloud.result('return_home_cancel', {})).toBe(0);
    const notice = await cloud.hears(({ method }) => method === 'device_exit_homing_notify');
    expect(notice.body).toMatchObject({ need_reply: 1 });
    expect(notice.data).toEqual({ sn: dock.sn, action: 1, reason: '0' });
    expect(await cloud.result('return_home', {})).toBe(0);
    await cloud.hears(({ method, data }) => method === 'device_exit_homing_notify' && data['action'] === 0);
    await dock.waitFor('ended', WAIT_MS);
  });
});

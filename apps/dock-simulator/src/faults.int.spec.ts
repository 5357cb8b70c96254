import { aDock, aTask, cloud, dock, fly, settled, storage, useRig, WAIT_MS } from './rig.fake.js';
import { objectOf } from './wire.js';

useRig();

describe('faults', () => {
  it('silent: neither does nor answers', async () => {
    await aDock({ faults: 'silent=flighttask_prepare' });
    await cloud.command('flighttask_prepare', aTask('a'));
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319003);
    expect(dock.commandsOf('flighttask_prepare')).toHaveLength(1);
    expect(dock.repliesSent.map(({ method }) => method)).toEqual(['flighttask_execute']);
  });

  it('slow-reply: does it at once and answers late', async () => {
    await aDock({ faults: 'slow-reply:flighttask_prepare=300ms' });
    const sentMs = Date.now();
    const answered = cloud.result('flighttask_prepare', aTask('a'));
    await dock.waitFor('prepared', WAIT_MS);
    expect(dock.repliesSent).toHaveLength(0);
    expect(await answered).toBe(0);
    expect(Date.now() - sentMs).toBeGreaterThanOrEqual(299);
  });

  it('refuse: answers with the code and does nothing', async () => {
    await aDock({ faults: 'refuse:flighttask_execute=319016' });
    await cloud.result('flighttask_prepare', aTask('a'));
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319016);
    dock.clearFaults();
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(0);
  });

  it('drop-reply: flies, and nobody is told', async () => {
    await aDock({ faults: 'drop-reply=flighttask_execute' });
    await cloud.result('flighttask_prepare', aTask('a'));
    await cloud.command('flighttask_execute', { flight_id: 'a' }, 'a');
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.takeoffs).toEqual(['a']);
    expect(dock.repliesSent.map(({ method }) => method)).toEqual(['flighttask_prepare']);
  });

  it('duplicate: says everything twice, word for word', async () => {
    await aDock({ faults: 'duplicate' });
    await fly('a');
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    const replies = cloud.heard.filter(
      ({ method, channel }) => method.endsWith('execute') && channel.endsWith('reply'),
    );
    expect(replies).toHaveLength(2);
    expect(replies[0]?.body).toEqual(replies[1]?.body);
  });

  it('reorder: lets the first event overtake the answer', async () => {
    await aDock();
    await cloud.result('flighttask_prepare', aTask('a'));
    dock.setFault('reorder');
    await cloud.result('flighttask_execute', { flight_id: 'a' }, 'a');
    const order = cloud.heard.map(({ channel, method }) => `${channel}:${method}`);
    expect(order.indexOf('events:flighttask_progress')).toBeLessThan(
      order.indexOf('services_reply:flighttask_execute'),
    );
  });

  it('clock-skew: lives by a wrong clock and refuses what is now', async () => {
    await aDock({ faults: 'clock-skew=-45s' });
    expect(await cloud.result('flighttask_prepare', aTask('a'))).toBe(319004);
    const reply = cloud.heard.find(({ channel }) => channel === 'services_reply');
    expect(Date.now() - Number(reply?.body['timestamp'])).toBeGreaterThan(44_000);
  });

  it('fail: ends the flight with the code, after landing', async () => {
    await aDock({ faults: 'fail=321517' });
    const flightId = await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 321517 }]);
    expect(dock.facts.map(({ name }) => name)).toContain('landed');
  });

  it('fail: does not take off when the code is one of the ground', async () => {
    await aDock({ faults: 'fail=316009' });
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.takeoffs).toEqual([]);
    expect(dock.flightsFlown).toMatchObject([{ status: 'failed', result: 316009 }]);
  });

  it('offline: flies on without the cloud and tells the end when it is back', async () => {
    await aDock({ faults: 'offline=flying:400ms', speed: 1_000 });
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.state.connected).toBe(false);
    await cloud.hears(({ data }) => objectOf(data['output'])['status'] === 'ok');
    await settled();
  });

  it('reboot: keeps its tasks, but has to ask for the route again', async () => {
    await aDock({ faults: 'reboot=prepared' });
    cloud.resource = { result: 0, output: { file: storage.file } };
    const after = dock.facts.at(-1)?.seq ?? 0;
    await cloud.command('flighttask_prepare', aTask('a'));
    await dock.waitFor('reboot', WAIT_MS);
    await dock.waitFor('online', WAIT_MS, { after });
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' }, 'a')).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    expect(cloud.of('flighttask_resource_get')).toHaveLength(1);
    expect(dock.takeoffs).toEqual(['a']);
  });

  it('reboot: forgets its tasks when told to', async () => {
    await aDock({ keepsTasksOverReboot: false });
    await cloud.result('flighttask_prepare', aTask('a'));
    const after = dock.facts.at(-1)?.seq ?? 0;
    await dock.reboot();
    await dock.waitFor('online', WAIT_MS, { after });
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319003);
  });

  it('reboot: says after landing that the aircraft came home alone', async () => {
    await aDock({ faults: 'reboot=flying' });
    const flightId = await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 314200 }]);
    await cloud.hears(({ data }) => data['result'] === 314200);
  });

  it('goOffline: stays away until it is called back', async () => {
    await aDock();
    await dock.goOffline();
    expect(dock.state.connected).toBe(false);
    const after = dock.facts.at(-1)?.seq ?? 0;
    dock.goOnline();
    await dock.waitFor('online', WAIT_MS, { after });
  });
});

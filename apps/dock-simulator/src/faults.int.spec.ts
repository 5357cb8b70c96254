import { aDock, aTask, cloud, dock, fly, settled, statusesHeard, storage, useRig, WAIT_MS } from './rig.fake.js';
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

  it('twice-reply: answers once more, and says something else', async () => {
    await aDock({ faults: 'twice-reply:flighttask_prepare' });
    expect(await cloud.result('flighttask_prepare', aTask('a'))).toBe(0);
    await dock.waitFor(({ repliesSent }) => repliesSent.length === 2, WAIT_MS);
    expect(dock.repliesSent.map(({ result }) => result)).toEqual([0, 319002]);
    expect(new Set(dock.repliesSent.map(({ tid }) => tid)).size).toBe(1);
    expect(dock.state.preparedTasks).toEqual(['a']);
  });

  it('emergency-stop: shows it at once and starts nothing until it is released', async () => {
    await aDock({ osdIntervalMs: 60_000 });
    await cloud.result('flighttask_prepare', aTask('a'));
    dock.setFault('emergency-stop');
    await cloud.hears(({ channel, data }) => channel === 'osd' && data['emergency_stop_state'] === 1);
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(514121);
    dock.clearFaults();
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(0);
  });

  it('emergency-stop: lands what flies', async () => {
    await aDock({ speed: 150 });
    const flightId = await fly();
    await dock.waitFor('takeOff', WAIT_MS);
    dock.setFault('emergency-stop');
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.facts.map(({ name }) => name)).toContain('landed');
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 316026 }]);
  });

  it('takeover: is paused while a pilot lands, and fails as taken over', async () => {
    await aDock({ faults: 'takeover=flying' });
    const flightId = await fly();
    await dock.waitFor('ended', WAIT_MS);
    await settled();
    expect(statusesHeard()).toEqual(['sent', 'in_progress', 'paused', 'failed']);
    const paused = cloud.of('flighttask_progress').find(({ data }) => objectOf(data['output'])['status'] === 'paused');
    expect(paused?.data).toMatchObject({ output: { ext: { break_point: { break_reason: 1282 } } } });
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'failed', result: 322282 }]);
  });

  it('mute: says nothing more about the flight, while telemetry goes on', async () => {
    await aDock({ faults: 'mute=flying', resendScheduleMs: [50], speed: 200, osdIntervalMs: 30 });
    cloud.answersEvents = false;
    await fly('a');
    await dock.waitFor('takeOff', WAIT_MS);
    const saidAtTakeOff = dock.eventsOf('flighttask_progress').length;
    await cloud.hears(
      ({ sn, channel, data }) => sn === dock.aircraftSn && channel === 'osd' && data['mode_code'] === 5,
    );
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.eventsOf('flighttask_progress')).toHaveLength(saidAtTakeOff);
    expect(dock.flightsFlown).toMatchObject([{ status: 'ok' }]);
    expect(dock.facts.find(({ name }) => name === 'ended')?.detail).toMatchObject({ reported: false });
  });

  it('forget: says yes to a task and does not know it any more', async () => {
    await aDock({ faults: 'forget=prepared' });
    expect(await cloud.result('flighttask_prepare', aTask('a'))).toBe(0);
    await dock.waitFor('forgot', WAIT_MS);
    expect(await cloud.result('flighttask_execute', { flight_id: 'a' })).toBe(319003);
  });

  it('rtk-slow: tells that a Dock 1 cannot set its home point, and can be told to give up', async () => {
    await aDock({ model: 'dock1', faults: 'rtk-slow=5m' });
    const flightId = await fly();
    const notice = await cloud.hears(({ method }) => method === 'flight_setup_exception_notify');
    expect(notice.body).toMatchObject({ need_reply: 1 });
    expect(notice.data).toMatchObject({ sn: dock.sn, flight_id: flightId, timeout_time: 6, flight_type: 1 });
    expect(await cloud.result('flight_setup_abort', {})).toBe(0);
    await dock.waitFor('ended', WAIT_MS);
    expect(dock.takeoffs).toEqual([]);
    expect(dock.flightsFlown).toMatchObject([{ flightId, status: 'canceled' }]);
  });

  it('rtk-slow: means nothing to a Dock 2', async () => {
    await aDock({ faults: 'rtk-slow' });
    await fly();
    await dock.waitFor('ended', WAIT_MS);
    expect(cloud.of('flight_setup_exception_notify')).toHaveLength(0);
    expect(dock.flightsFlown).toMatchObject([{ status: 'ok' }]);
  });
});

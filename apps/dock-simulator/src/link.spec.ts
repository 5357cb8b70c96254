import { type Authority, type TlsWatcher, WRONG_SERVERS, eventually, makeAuthority, watchTls } from '@aerie/testing';
import { type DockHandle, startDock } from './handle.js';

const SECRET = 'hunter2-of-a-dock';
let authority: Authority;
let watcher: TlsWatcher | undefined;
let dock: DockHandle | undefined;
beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => authority.remove());
afterEach(async () => {
  await dock?.stop();
  await watcher?.close();
  [dock, watcher] = [undefined, undefined];
});

const start = (port: number): Promise<DockHandle> =>
  startDock({
    ...{ sn: 'TLS-DOCK', mqttUrl: `mqtts://127.0.0.1:${port}`, mqttCa: authority.caPem, reconnectMs: 20 },
    ...{ mqttUser: 'TLS-DOCK', mqttPassword: SECRET },
  });

describe('a dock that was set up to verify its broker', () => {
  it('shows its password to one that its authority vouches for', async () => {
    watcher = await watchTls(await authority.issue());
    dock = await start(watcher.port);
    await eventually('it says who it is', () => watcher?.received().includes(SECRET));
  });

  it.each(WRONG_SERVERS)('says nothing to one that %s', async (_what, shown, highest) => {
    watcher = await watchTls(await shown(authority), highest);
    dock = await start(watcher.port);
    await eventually('it has tried twice', () => (watcher?.connections() ?? 0) >= 2);
    expect(watcher.received()).toBe('');
  });

  it('is not started with authorities that it would not ask', async () => {
    const starting = startDock({ sn: 'TLS-DOCK', mqttUrl: 'mqtt://127.0.0.1:1', mqttCa: authority.caPem });
    await expect(starting).rejects.toThrow('mqttCa');
  });
});

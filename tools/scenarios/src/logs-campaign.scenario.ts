import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Logs } from './logs.js';
import { World } from './world.js';

const DOCKS = 200;
const FAILING = 10;

interface CampaignView {
  readonly id: string;
  readonly state: string;
  readonly cause: string | null;
  readonly progress: Readonly<Record<'docks' | 'waiting' | 'running' | 'done' | 'failed' | 'skipped', number>>;
}

interface CampaignDockView {
  readonly dockSn: string;
  readonly state: string;
  readonly uploadId: string | null;
  readonly cause: string | null;
}

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world.stop(), 120_000);

const campaign = async (more: Record<string, unknown>): Promise<CampaignView> =>
  good(
    await world.api.post<CampaignView>('/log-campaigns', {
      name: 'all of them',
      logs: { latest: { count: 1, modules: ['dock'] } },
      docksPerMinute: 600,
      concurrent: 40,
      ...more,
    }),
  );
const find = async (id: string): Promise<CampaignView> =>
  good(await world.api.get<CampaignView>(`/log-campaigns/${id}`));
const docksOf = async (id: string): Promise<readonly CampaignDockView[]> =>
  good(await world.api.get<{ items: CampaignDockView[] }>(`/log-campaigns/${id}/docks?limit=500`)).items;

const once = (id: string, what: string, holds: (view: CampaignView) => boolean, withinMs = 360_000) =>
  eventually(
    `the campaign ${what}`,
    async () => {
      // The service is killed meanwhile: no answer is no fact.
      const view = await find(id).catch(() => undefined);
      return view !== undefined && holds(view) ? view : undefined;
    },
    withinMs,
  );

it(`goes over ${DOCKS} docks, ${FAILING} of which fail, while log-service is killed twice: each dock once, the failed ones named`, async () => {
  const docks = await world.manyDocks(DOCKS);
  const failing = docks.filter((_dock, index) => index % (DOCKS / FAILING) === 3);
  for (const dock of failing) dock.setFault('refuse:fileupload_list=324013');
  const { id } = await campaign({ docks: {}, stopAtFailedPercent: 10, stopNotBeforeDocks: 20 });
  for (const share of [0.2, 0.5]) {
    await once(id, `has done ${share * 100} %`, ({ progress }) => progress.done >= DOCKS * share);
    await world.stack.kill('log-service');
    await world.stack.start('log-service');
  }
  const over = await once(id, 'is over', ({ state }) => state !== 'running');
  expect(over).toMatchObject({ state: 'finished', cause: null });
  expect(over.progress).toMatchObject({ docks: DOCKS, done: DOCKS - FAILING, failed: FAILING, waiting: 0, running: 0 });

  const rows = await docksOf(id);
  const failed = rows.filter(({ state }) => state === 'failed');
  expect(failed.map(({ dockSn }) => dockSn)).toEqual(failing.map(({ sn }) => sn).sort());
  expect(new Set(failed.map(({ cause }) => cause))).toEqual(new Set(['list_refused']));

  const logs = new Logs(world);
  for (const dock of docks) {
    if (failing.includes(dock)) continue;
    // By the dock's own journal: one export, one file, and the cloud lists that one.
    expect(dock.facts.filter(({ name }) => name === 'logExportBegan')).toHaveLength(1);
    expect(dock.logUploads).toHaveLength(1);
    const files = await logs.filesOf(`dockSn=${dock.sn}`);
    expect(files.map(({ objectKey }) => objectKey)).toEqual(dock.logUploads.map(({ key }) => key));
  }
}, 900_000);

it('stops by itself when too many docks fail, and goes on when it is resumed', async () => {
  const docks = world.docks.slice(0, 30);
  for (const dock of docks) {
    dock.clearFaults();
    dock.setFault('refuse:fileupload_list=324013');
  }
  const sns = docks.map(({ sn }) => sn);
  const { id } = await campaign({ docks: { sns }, concurrent: 5, stopAtFailedPercent: 20, stopNotBeforeDocks: 5 });
  const stopped = await once(id, 'has stopped', ({ state }) => state === 'stopped');
  expect(stopped.cause).toBe('too_many_failed');
  expect(stopped.progress.waiting).toBeGreaterThanOrEqual(docks.length - 5 - 5 - 1);

  const resumed = await world.api.post(`/log-campaigns/${id}/resume`, {});
  expect(resumed.status).toBe(200);
  const canceled = good(await world.api.post<CampaignView>(`/log-campaigns/${id}/cancel`, {}));
  expect(canceled.state).toBe('canceled');
  await once(id, 'has ended', ({ progress }) => progress.running === 0 && progress.waiting === 0);
  expect((await docksOf(id)).filter(({ state }) => state === 'skipped').length).toBeGreaterThan(0);
}, 120_000);

it('begins no further dock while it is paused, and never more at once than it may', async () => {
  const docks = world.docks.slice(100, 120);
  const sns = docks.map(({ sn }) => sn);
  for (const dock of docks) dock.clearFaults();
  const { id } = await campaign({ docks: { sns }, concurrent: 2 });
  await once(id, 'has begun', ({ progress }) => progress.done >= 2);
  good(await world.api.post<CampaignView>(`/log-campaigns/${id}/pause`, {}));
  const quiet = await once(id, 'runs nothing', ({ progress }) => progress.running === 0);
  expect(quiet.progress.waiting).toBeGreaterThan(0);
  good(await world.api.post<CampaignView>(`/log-campaigns/${id}/resume`, {}));
  await once(id, 'is over', ({ state }) => state === 'finished');
  const spans = docks.flatMap(({ facts }) => {
    const began = facts.filter(({ name }) => name === 'logExportBegan').at(-1)?.atMs ?? 0;
    const ended = facts.filter(({ name }) => name === 'logExportEnded').at(-1)?.atMs ?? 0;
    return [{ began, ended }];
  });
  for (const { began } of spans) {
    expect(spans.filter((other) => other.began <= began && began < other.ended).length).toBeLessThanOrEqual(2);
  }
}, 120_000);

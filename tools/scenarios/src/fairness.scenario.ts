import { Flood, Others, type OthersFigures, good, lineOf, lossesOf } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { World, rootFolder } from './world.js';

const SECOND_MS = 1_000;
/** 22 MB a second: two thousand times what a dock sends. */
const FLOOD = { method: 'fairness_flood', perSecond: 200, bytes: 110 * 1_024 };
/** How long a dock floods before it is cut off, and how long it is cut off. */
const FLOODS_FOR_SECONDS = 3;
const CUT_OFF_SECONDS = 8;
/** The least that a dock can have: the story below is not about how much it is. */
const LEAST_BUDGET = { INGRESS_DOCK_MESSAGES_PER_SECOND: '20', INGRESS_DOCK_BYTES_PER_SECOND: '65536' };

let world: World;
beforeAll(async () => {
  world = await World.start({ 'fleet-service': { FLEET_CUT_OFF_SECONDS: String(CUT_OFF_SECONDS) } }, [
    'thing/product/+/services',
  ]);
}, 120_000);
afterAll(() => world.stop(), 60_000);

/** The life of other docks meanwhile. Times are printed and not judged: they are this machine's. */
async function others(prefix: string): Promise<OthersFigures> {
  const { stack, api, waylineId } = world;
  const docks = await Others.bringUp({ stack, api, waylineId, prefix, asking: 3, flying: 2, forMs: 10 * SECOND_MS });
  try {
    const figures = await docks.live();
    console.log(lineOf(prefix, figures));
    return figures;
  } finally {
    await docks.close();
  }
}

async function counted(service: 'mqtt-ingress' | 'fleet-service', line: string): Promise<number> {
  const text = await (await fetch(world.stack.metricsUrl(service))).text();
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.split(' ')
      .at(-1) ?? NaN,
  );
}

it('loses nothing of other docks while one sends 200 messages a second of 110 KiB, and all their flights end', async () => {
  const connection = await world.register('FLOODS', 'dock2');
  const flood = new Flood(rootFolder(), { connection, ...FLOOD });
  try {
    const leftOut = () => counted('mqtt-ingress', 'ingress_left_out_total{weight="other"');
    await eventually('the dock is over its budget', async () => (await leftOut()) > 0, 30_000);
    const figures = await others('FLOODED');
    expect(lossesOf(figures)).toEqual([]);
    expect(figures.flights).toBeGreaterThanOrEqual(2);
    console.log(`the flood sent ${flood.figures.sent} messages`);
    expect(flood.figures).toMatchObject({ cutOff: 0, connected: true });
  } finally {
    await flood.stop();
  }
  // The ingress is let see it, and nothing was thrown away where nobody counts.
  expect(await counted('mqtt-ingress', 'ingress_broker_dropped_messages')).toBe(0);
}, 180_000);

it('loses nothing of docks while log-service stands still, and all their flights end', async () => {
  const logService = world.stack.process('log-service');
  logService.signal('SIGSTOP');
  try {
    expect(lossesOf(await others('NO-LOGS'))).toEqual([]);
  } finally {
    logService.signal('SIGCONT');
  }
}, 180_000);

describe('a dock that floods while it flies', () => {
  interface CutOffView {
    readonly cutOff: { readonly since: string; readonly until: string | null; readonly reason: string } | null;
  }
  interface Preflight {
    readonly rules: readonly { readonly rule: string; readonly verdict: string }[];
  }
  const cutOffOf = async (sn: string) => good(await world.api.get<CutOffView>(`/docks/${sn}`)).cutOff;

  async function failedRules(dock: { readonly sn: string }): Promise<string[]> {
    const wish = world.body(dock, { kind: 'immediate' });
    const { preflight } = good(await world.api.post<{ preflight: Preflight }>('/missions?dryRun=true', wish));
    return preflight.rules.flatMap(({ rule, verdict }) => (verdict === 'no_go' ? [rule] : []));
  }

  it('is cut off once it has landed and not before, says so in preflight, and comes back by itself', async () => {
    await world.stack.restartWith('mqtt-ingress', {
      INGRESS_FLOOD_SECONDS: String(FLOODS_FOR_SECONDS),
      ...LEAST_BUDGET,
    });
    // Slowly, so that it floods for long before it lands.
    const dock = await world.dock({ speed: 15 });
    const bystander = await world.dock();
    const { id } = await world.immediate(dock);
    await world.inState(id, 'executing');
    const text = 'x'.repeat(40 * 1_024);
    let sent = 0;
    const flood = setInterval(() => {
      const tid = `flood-${++sent}`;
      const event = {
        tid,
        bid: tid,
        timestamp: Date.now(),
        gateway: dock.sn,
        method: 'fairness_flood',
        data: { text },
      };
      dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify(event));
    }, 20);
    try {
      const refused = () => counted('fleet-service', 'fleet_cut_offs_total{act="refused"');
      await eventually('it is to be cut off, and mission-service says no', async () => (await refused()) > 0, 30_000);
      expect([(await world.mission(id)).state, await cutOffOf(dock.sn)]).toEqual(['executing', null]);
      // The reports of its flight are taken all the same.
      await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
      const cutOff = await eventually('it is cut off', () => cutOffOf(dock.sn), 40_000);
      const ended = (await world.timeline(id)).find(({ to }) => to === 'succeeded');
      expect(Date.parse(cutOff.since)).toBeGreaterThan(Date.parse(ended?.at ?? ''));
      await eventually('its connection has ended', () => !dock.state.connected);
    } finally {
      clearInterval(flood);
    }
    expect(await failedRules(dock)).toContain('cut_off');
    await expect(world.ended((await world.immediate(bystander)).id)).resolves.toMatchObject({ state: 'succeeded' });

    await eventually('it is let in again', async () => (await cutOffOf(dock.sn)) === null, 40_000);
    await eventually('it is back', () => dock.state.online, 40_000);
    const { items } = good(await world.api.get<{ items: unknown[] }>(`/docks/${dock.sn}/cut-offs`));
    expect(items).toMatchObject([{ endedBy: 'time' }]);
    expect(await failedRules(dock)).not.toContain('cut_off');
  }, 240_000);
});

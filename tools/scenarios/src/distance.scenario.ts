import { type DockHandle, makeSampleKmz } from '@aerie/dock-simulator';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { type MissionView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '30000' } });
}, 120_000);
afterAll(() => world.stop(), 60_000);

interface DockPositionView {
  readonly position: { readonly latitude: number; readonly longitude: number; readonly source: string } | null;
}

interface PreviewView {
  readonly verdict: string;
  readonly preflight: {
    readonly rules: readonly { readonly rule: string; readonly verdict: string; readonly input: unknown }[];
  };
}

const uploaded = async (originLatitude: number, originLongitude: number): Promise<string> => {
  const kmz = await makeSampleKmz({ originLatitude, originLongitude, waypoints: 3 });
  return good(await world.api.upload<{ id: string }>('/waylines?name=distance', kmz)).id;
};

const positionOf = async (dock: DockHandle) =>
  good(await world.api.get<DockPositionView>(`/docks/${dock.sn}`)).position;

const positionIsKnown = (dock: DockHandle): Promise<unknown> =>
  eventually('the position of the dock is kept', async () => (await positionOf(dock)) ?? undefined);

const isHeldByDistance = (id: string): Promise<MissionView> =>
  eventually(
    'the mission is held by the rule distance',
    async () => {
      const mission = await world.mission(id);
      return mission.cause?.failedRules?.includes('distance') === true ? mission : undefined;
    },
    20_000,
  );

it.concurrent(
  'never starts a route on the other side of the earth, whoever asks for it',
  async () => {
    const dock = await world.dock();
    await positionIsKnown(dock);
    const waylineId = await uploaded(6.6, 96.5);
    const executeAt = new Date(Date.now() + 3_000).toISOString();
    const timed = world.body(dock, { kind: 'timed', executeAt, waylineId, startWindowMs: 6_000 });
    const preview = good(await world.api.post<PreviewView>('/missions/preview', timed));
    expect(preview.verdict).toBe('no_go');
    expect(preview.preflight.rules.find(({ rule }) => rule === 'distance')).toMatchObject({ verdict: 'no_go' });

    const { id } = good(await world.api.post<MissionView>('/missions', timed));
    await isHeldByDistance(id);
    await expect(world.ended(id)).resolves.toMatchObject({
      state: 'missed',
      cause: { failedRules: ['distance', 'battery'] },
    });
    expect(world.tap.executes(id)).toHaveLength(0);

    const now = world.body(dock, { kind: 'immediate', waylineId, startWithinMs: 6_000 });
    const immediate = good(await world.api.post<MissionView>('/missions', now));
    await expect(world.ended(immediate.id)).resolves.toMatchObject({ state: 'missed' });
    expect(world.tap.executes(immediate.id)).toHaveLength(0);
    expect(dock.takeoffs).toEqual([]);
  },
  90_000,
);

it.concurrent(
  'flies a route that is near',
  async () => {
    const dock = await world.dock();
    const { id } = await world.timed(dock, 4_000);
    await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
    expect(world.tap.executes(id)).toHaveLength(1);
    expect(await positionOf(dock)).toMatchObject({ latitude: 46.5, longitude: 6.6, source: 'dock' });
  },
  60_000,
);

it.concurrent(
  'holds a timed mission while the position of its dock is unknown, and flies it once an operator entered it',
  async () => {
    // A dock that does not know where it is says 0, 0.
    const dock = await world.dock({ position: { latitude: 0, longitude: 0, heightMeters: 450 } });
    const { id } = await world.timed(dock, 3_000);
    await isHeldByDistance(id);
    expect(await positionOf(dock)).toBeNull();
    expect(world.tap.executes(id)).toHaveLength(0);

    good(await world.api.put(`/docks/${dock.sn}/position`, { latitude: 46.5, longitude: 6.6 }));
    expect(await positionOf(dock)).toMatchObject({ latitude: 46.5, longitude: 6.6, source: 'operator' });
    await eventually('the mission starts', () => world.tap.executes(id).length === 1, 20_000);
  },
  60_000,
);

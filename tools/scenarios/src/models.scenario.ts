import { type DockHandle, type DockOptions, startDock } from '@aerie/dock-simulator';
import type { DockConnection } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { HOME, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 180_000);
afterAll(() => world?.stop(), 60_000);

interface Problem {
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}
interface DockView {
  readonly modelMismatch: boolean;
  readonly aircraft: { readonly modelKey: string | null } | null;
}

/** The same dock, once more: with another aircraft in it, say. */
async function connect(
  sn: string,
  connection: DockConnection,
  options: Partial<DockOptions> = {},
): Promise<DockHandle> {
  const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = connection;
  const dock = await startDock({
    ...{ sn, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode, speed: 60, osdIntervalMs: 500 },
    position: HOME,
    ...options,
  });
  world.docks.push(dock);
  await dock.waitFor('online', 20_000);
  return dock;
}

const reported = (sn: string, modelKey: string): Promise<unknown> =>
  eventually(`${sn} has reported ${modelKey}`, async () => {
    const { body } = await world.api.get<DockView>(`/docks/${sn}`);
    return body.aircraft?.modelKey === modelKey ? body : undefined;
  });

it.concurrent(
  'refuses to plan a route for an aircraft that the dock does not have, and names both',
  async () => {
    const dock = await world.dock();
    await reported(dock.sn, '0-91-1');
    const waylineId = await world.upload('M3E');
    for (const path of ['/missions', '/missions/preview']) {
      const refused = await world.api.post<Problem>(path, world.body(dock, { kind: 'immediate', waylineId }));
      expect([path, refused.status, refused.body.code]).toEqual([path, 422, 'other_aircraft']);
      expect(refused.body.errors[0]?.field).toBe('waylineId');
      expect(refused.body.errors[0]?.message).toContain('Mavic 3E (77-0)');
      expect(refused.body.errors[0]?.message).toContain('Matrice 3TD (91-1)');
    }
    expect(dock.commandsOf('flighttask_prepare')).toEqual([]);
  },
  60_000,
);

it.concurrent(
  'does not start a mission whose dock got another aircraft after it was planned',
  async () => {
    const connection = await world.register('SCN-SWAP', 'dock2');
    const before = await connect('SCN-SWAP', connection);
    await reported('SCN-SWAP', '0-91-1');
    const mission = await world.timed(before, 12_000);
    await before.stop();
    const after = await connect('SCN-SWAP', connection, { aircraft: 'M3D' });
    await reported('SCN-SWAP', '0-91-0');
    const ended = await world.ended(mission.id);
    expect(ended).toMatchObject({
      state: 'missed',
      cause: { code: 'preflight_no_go', failedRules: ['aircraft_model'] },
    });
    expect(after.commandsOf('flighttask_execute')).toEqual([]);
  },
  90_000,
);

it.concurrent(
  'holds the missions of a dock that was registered as another model, until the registration is corrected',
  async () => {
    // Registered as the wrong one; the route is for the aircraft that it really has.
    const connection = await world.register('SCN-WRONG', 'dock3');
    const dock = await connect('SCN-WRONG', connection, { model: 'dock1' });
    await reported('SCN-WRONG', '0-67-1');
    const shown = async () => (await world.api.get<DockView>('/docks/SCN-WRONG')).body;
    expect(await shown()).toMatchObject({ model: 'dock3', reportedModel: 'dock1', modelMismatch: true });

    const waylineId = await world.upload('M30T');
    const held = await world.timed(dock, 8_000, { waylineId });
    const ended = await world.ended(held.id);
    expect(ended).toMatchObject({ state: 'missed', cause: { code: 'preflight_no_go', failedRules: ['dock_model'] } });
    expect(dock.commandsOf('flighttask_execute')).toEqual([]);
    // A Dock 1 gets no field that it does not have.
    const prepares = dock.commandsOf('flighttask_prepare').map(({ data }) => Object.keys(data));
    expect(prepares.length).toBeGreaterThan(0);
    for (const member of ['rth_mode', 'wayline_precision_type', 'flight_safety_advance_check']) {
      expect(prepares.flat()).not.toContain(member);
    }

    expect((await world.api.patch('/docks/SCN-WRONG', { model: 'dock1' })).status).toBe(200);
    expect(await shown()).toMatchObject({ model: 'dock1', modelMismatch: false });
    const flown = await world.timed(dock, 8_000, { waylineId });
    expect(await world.ended(flown.id)).toMatchObject({ state: 'succeeded', cause: { dockResult: 0 } });
  },
  120_000,
);

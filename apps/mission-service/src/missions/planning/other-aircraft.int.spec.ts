import { Caller } from '@aerie/http-api/testing';
import { API_KEY, type RunningService, startService } from '../../openapi/running-service.fixture.js';
import { ROUTES } from '../../openapi/mission-api.js';
import { aKmzFor } from '../../waylines/kmz/kmz.fixture.js';

let service: RunningService | undefined;
let caller: Caller;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
}, 60_000);
afterAll(() => service?.stop(), 30_000);

let hours = 1;

async function upload(aircraft: string, camera: number): Promise<string> {
  const body = await aKmzFor(aircraft, camera);
  const contentType = 'application/vnd.google-earth.kmz';
  const { body: wayline } = await caller.call('uploadWayline', { query: { name: aircraft }, body, contentType });
  return String(wayline['id']);
}

const ask = (operation: string, dockSn: string, waylineId: string) => {
  const executeAt = new Date(Date.now() + ++hours * 3_600_000).toISOString();
  return caller.call(operation, { body: { dockSn, waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 80 } });
};

/** Dock, aircraft and camera of the route, and how both are named. */
const OTHERS = [
  ['TWO-HAS-91-1', '77-0', 66, 'Matrice 3TD (91-1)', 'Mavic 3E (77-0)'],
  ['TWO-HAS-91-1', '77-2', 68, 'Matrice 3TD (91-1)', 'Mavic 3M (77-2)'],
  ['TWO-HAS-91-1', '89-0', 42, 'Matrice 3TD (91-1)', 'Matrice 350 RTK (89-0)'],
  ['TWO-HAS-91-1', '67-1', 53, 'Matrice 3TD (91-1)', 'Matrice 30T (67-1)'],
  ['TWO-HAS-91-1', '99-1', 89, 'Matrice 3TD (91-1)', 'Matrice 4T (99-1)'],
  ['TWO-HAS-91-1', '100-1', 99, 'Matrice 3TD (91-1)', 'Matrice 4TD (100-1)'],
  ['TWO-HAS-91-1', '91-0', 80, 'Matrice 3TD (91-1)', 'Matrice 3D (91-0)'],
  ['TWO-HAS-91-1', '91-1', 80, 'Matrice 3TD (91-1)', 'with the camera of a Matrice 3D (80)'],
  ['TWO-HAS-91-1', '67', 53, 'Matrice 3TD (91-1)', 'aircraft of type 67'],
  ['ONE-HAS-67-1', '91-1', 81, 'Matrice 30T (67-1)', 'Matrice 3TD (91-1)'],
  ['ONE-SILENT', '91-1', 81, 'Matrice 30 (67-0) or Matrice 30T (67-1)', 'Matrice 3TD (91-1)'],
  ['TWO-SILENT', '67-1', 53, 'Matrice 3D (91-0) or Matrice 3TD (91-1)', 'Matrice 30T (67-1)'],
] as const;

it.each(OTHERS)('refuses to plan for %s a route for aircraft %s with camera %d, and names both', async (...pair) => {
  const [dockSn, aircraft, camera, dockHas, routeFor] = pair;
  const waylineId = await upload(aircraft, camera);
  for (const operation of ['createMission', 'previewMission']) {
    const { status, body } = await ask(operation, dockSn, waylineId);
    expect([operation, status, body['code']]).toEqual([operation, 422, 'other_aircraft']);
    const [problem] = body['errors'] as { field: string; message: string }[];
    expect(problem?.field).toBe('waylineId');
    expect(problem?.message).toContain(dockHas);
    expect(problem?.message).toContain(routeFor);
  }
  expect((await caller.call('listMissions', { query: { dockSn } })).body['items']).toEqual([]);
});

it.each([
  ['TWO-HAS-91-1', '91-1', 81, 'go'],
  ['ONE-HAS-67-0', '67-0', 52, 'go'],
  // A file without the subtype counts for each variant.
  ['TWO-HAS-91-1', '91', 81, 'go'],
  ['TWO-SILENT', '91-0', 80, 'unknown'],
  ['TWO-SILENT', '250-3', 300, 'unknown'],
  ['TWO-HAS-116-0', '91-1', 81, 'unknown'],
  ['TWO-HAS-91-1', '91-1', 65_535, 'unknown'],
])('plans for %s a route for aircraft %s with camera %d: %s', async (dockSn, aircraft, camera, verdict) => {
  const waylineId = await upload(aircraft, camera);
  const preview = await ask('previewMission', dockSn, waylineId);
  const rules = (preview.body['preflight'] as { rules: { rule: string; verdict: string }[] }).rules;
  expect(rules.find(({ rule }) => rule === 'aircraft_model')?.verdict).toBe(verdict);
  expect((await ask('createMission', dockSn, waylineId)).status).toBe(201);
});

it('compares the aircraft alone of a wayline that an earlier release stored', async () => {
  const waylineId = await upload('91-1', 81);
  await service?.dataSource.query('UPDATE mission.wayline SET payload_model_keys = NULL WHERE id = $1', [waylineId]);
  expect((await ask('createMission', 'TWO-HAS-91-1', waylineId)).status).toBe(201);
  expect((await ask('createMission', 'ONE-HAS-67-1', waylineId)).status).toBe(422);
});

import { Api, good } from '@aerie/local';
import { type MissionView, type ProblemView, World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world?.stop(), 60_000);

interface Approvable extends MissionView {
  readonly approval: { readonly state: string; readonly decidedBy: string | null } | null;
}

interface Person {
  readonly id: string;
  readonly api: Api;
}

async function aPerson(name: string, ...roles: readonly string[]): Promise<Person> {
  const [email, password] = [`${name}@example.com`, 'four words make one'];
  const { token } = good(await world.api.post<{ token: string }>('/invitations', { email, roles }));
  const nobody = new Api(world.stack.apiUrl, 'none');
  const { member } = good(
    await nobody.post<{ member: { id: string } }>('/invitations/accept', { token, name, password }),
  );
  const session = good(await nobody.post<{ token: string }>('/sessions', { email, password }));
  return { id: member.id, api: new Api(world.stack.apiUrl, session.token) };
}

const approve = ({ api }: Person, { id, version }: MissionView) =>
  api.post<Approvable & ProblemView>(`/missions/${id}/approve`, {}, { 'if-match': `"${version}"` });

/** Every command that a dock was sent for a mission. */
const toldOf = (id: string): readonly (string | undefined)[] =>
  world.tap.seen.filter(({ topic, bid }) => topic.endsWith('/services') && bid === id).map(({ method }) => method);

it('N44: flies what another person has approved, and tells a dock nothing of what nobody has', async () => {
  const [dock, other] = [await world.dock(), await world.dock()];
  const [anna, ben] = [await aPerson('anna', 'pilot', 'org_admin'), await aPerson('ben', 'pilot')];
  good(await world.api.put('/mission-policy', { approval: { missions: 'planned' } }));

  const inSeconds = (seconds: number) => ({
    kind: 'timed',
    executeAt: new Date(Date.now() + seconds * 1_000).toISOString(),
  });
  const plan = async (by: Api, of: typeof dock, seconds: number): Promise<Approvable> =>
    good(await by.post<Approvable>('/missions', world.body(of, inSeconds(seconds))));
  const mission = await plan(anna.api, dock, 20);
  // Her own key is no other person.
  const key = good(await anna.api.post<{ key: string }>('/api-keys', { name: 'hers', roles: ['pilot'] }));
  const unapproved = await plan(new Api(world.stack.apiUrl, key.key), other, 8);
  expect([mission.state, unapproved.state]).toEqual(['awaiting_approval', 'awaiting_approval']);

  for (const own of [mission, unapproved]) {
    const { status, body } = await approve(anna, own);
    expect([status, body.code]).toEqual([403, 'approver_has_planned']);
  }
  const byKey = await world.api.post<ProblemView>(
    `/missions/${mission.id}/approve`,
    {},
    { 'if-match': `"${mission.version}"` },
  );
  expect([byKey.status, byKey.body.code]).toEqual([403, 'approver_not_a_person']);

  const approved = good(await approve(ben, mission));
  expect(approved.approval).toMatchObject({ state: 'given', decidedBy: `person:${ben.id}` });
  expect((await world.ended(mission.id)).state).toBe('succeeded');
  expect(world.tap.executes(mission.id)).toHaveLength(1);

  const missed = await world.ended(unapproved.id);
  expect(missed).toMatchObject({ state: 'missed', cause: { code: 'approval_missing' } });
  expect(toldOf(unapproved.id)).toEqual([]);
  expect(other.takeoffs).toEqual([]);

  const entry = (await world.timeline(mission.id)).find(({ what }) => what === 'approvalGiven');
  expect(entry).toMatchObject({ from: 'awaiting_approval', to: 'scheduled', detail: { by: `person:${ben.id}` } });
}, 120_000);

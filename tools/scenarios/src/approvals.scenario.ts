import { type Answer, Api, type Replica, good } from '@aerie/local';
import { type MissionView, type ProblemView, World } from './world.js';

let world: World;
let second: Replica;
beforeAll(async () => {
  world = await World.start();
  second = await world.stack.startReplica('mission-service', 'second');
}, 120_000);
afterAll(() => world?.stop(), 60_000);

interface Approvable extends MissionView {
  readonly approval: { readonly state: string; readonly decidedBy: string | null } | null;
}

interface Person {
  readonly id: string;
  readonly api: Api;
  readonly token: string;
}

async function aPerson(name: string, ...roles: readonly string[]): Promise<Person> {
  const [email, password] = [`${name}@example.com`, 'four words make one'];
  const { token } = good(await world.api.post<{ token: string }>('/invitations', { email, roles }));
  const nobody = new Api(world.stack.apiUrl, 'none');
  const { member } = good(
    await nobody.post<{ member: { id: string } }>('/invitations/accept', { token, name, password }),
  );
  const session = good(await nobody.post<{ token: string }>('/sessions', { email, password }));
  return { id: member.id, api: new Api(world.stack.apiUrl, session.token), token: session.token };
}

const approve = ({ api }: Pick<Person, 'api'>, { id, version }: MissionView) =>
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

describe('fifty who ask at once, at two replicas,', () => {
  const AT_ONCE = 50;

  const atOnce = <Body>(ask: (door: string, index: number) => Promise<Answer<Body>>): Promise<Answer<Body>[]> => {
    const first = world.stack.metricsUrl('mission-service').replace('/metrics', '');
    return Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(index % 2 === 0 ? first : second.url, index)));
  };

  const statusesOf = (answers: readonly Answer<unknown>[]): Readonly<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  /** Each execute that a dock was sent, whatever the mission. */
  const startsOf = ({ sn }: { readonly sn: string }): readonly (string | undefined)[] =>
    world.tap.executes().flatMap(({ topic, bid }) => (topic === `thing/product/${sn}/services` ? [bid] : []));

  it('to fly one dock now start one mission, and the dock takes off once [N46]', async () => {
    good(await world.api.put('/mission-policy', {}));
    const dock = await world.dock();
    const answers = await atOnce((door, index) =>
      new Api(door, world.stack.apiKey).post<MissionView & ProblemView>(
        '/missions',
        world.body(dock, { kind: 'immediate' }),
        { 'idempotency-key': `now-${index}` },
      ),
    );
    expect(statusesOf(answers)).toEqual({ 201: 1, 409: AT_ONCE - 1 });
    const id = answers.find(({ status }) => status === 201)?.body.id ?? '';
    for (const { status, body } of answers) {
      if (status === 409) expect([body.code, body.conflicts?.[0]?.id]).toEqual(['dock_taken', id]);
    }
    expect((await world.ended(id)).state).toBe('succeeded');
    expect(startsOf(dock)).toEqual([id]);
    expect(dock.takeoffs).toEqual([id]);
  }, 60_000);

  it('to resume one mission from its breakpoint resume it once [N46]', async () => {
    const dock = await world.dock({ faults: 'fail=321784' });
    const stopped = await world.immediate(dock);
    await world.ended(stopped.id);
    const answers = await atOnce((door, index) =>
      new Api(door, world.stack.apiKey).post<MissionView & ProblemView>(
        `/missions/${stopped.id}/resume-from-breakpoint`,
        {},
        { 'idempotency-key': `resume-${index}` },
      ),
    );
    expect(statusesOf(answers)).toEqual({ 201: 1, 409: AT_ONCE - 1 });
    const id = answers.find(({ status }) => status === 201)?.body.id ?? '';
    await world.ended(id);
    expect(startsOf(dock)).toEqual([stopped.id, id]);
  }, 60_000);

  it('to approve one mission, by one person, start it once, and it is approved once [N46]', async () => {
    const dock = await world.dock();
    const [dora, emil] = [await aPerson('dora', 'pilot', 'org_admin'), await aPerson('emil', 'pilot')];
    good(await world.api.put('/mission-policy', { approval: { missions: 'planned' } }));
    const mission = good(await dora.api.post<Approvable>('/missions', world.body(dock, { kind: 'immediate' })));
    expect(mission.state).toBe('awaiting_approval');
    const answers = await atOnce((door) => approve({ api: new Api(door, emil.token) }, mission));
    // A repeat by the same person is harmless.
    expect(statusesOf(answers)).toEqual({ 200: AT_ONCE });
    expect((await world.ended(mission.id)).state).toBe('succeeded');
    expect(startsOf(dock)).toEqual([mission.id]);
    expect(dock.takeoffs).toEqual([mission.id]);
    const given = (await world.timeline(mission.id)).filter(({ what }) => what === 'approvalGiven');
    expect(given).toHaveLength(1);
  }, 60_000);
});

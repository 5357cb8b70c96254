import {
  type ClientReadableStream,
  Metadata,
  type ServiceError,
  credentials,
  loadPackageDefinition,
  makeGenericClientConstructor,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { CREDENTIAL_PROTO, LOG_PROTO, MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { Api, good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await World.start({ 'log-service': { HTTP_REQUESTS_PER_SECOND_PER_KEY: '1' } });
}, 120_000);
afterAll(() => world?.stop(), 60_000);

interface Key {
  readonly id: string;
  readonly key: string;
}
interface Refusal {
  readonly code: string;
  readonly permission?: string;
}

const keyFor = async (...roles: readonly string[]): Promise<Key> =>
  good(await world.api.post<Key>('/api-keys', { name: roles.join(' and '), roles }));
const apiOf = ({ key }: Key): Api => new Api(world.stack.apiUrl, key);

const immediate = (dockSn: string) => ({
  dockSn,
  waylineId: world.waylineId,
  kind: 'immediate',
  rthAltitudeMeters: 60,
});
const later = (dockSn: string) => ({
  ...immediate(dockSn),
  kind: 'timed',
  executeAt: new Date(Date.now() + 3_600_000).toISOString(),
});
const AUDITS = ['/mission-audit', '/log-audit', '/storage-audit'] as const;
interface AuditRecord {
  readonly operationId: string;
  readonly status: number;
}
const recordsOf = async (audit: string, query: string): Promise<readonly AuditRecord[]> =>
  good(await world.api.get<{ items: readonly AuditRecord[] }>(`${audit}?${query}`)).items;
const wordsOf = ({ operationId, status }: AuditRecord): string => `${operationId} ${status}`;
const refusalOf = ({ status, body }: { readonly status: number; readonly body: Refusal }) => [
  status,
  body.code,
  body.permission,
];

it('lets a planner plan for later and start nothing now, one by one and in a batch', async () => {
  const dock = await world.dock();
  const planner = apiOf(await keyFor('planner'));
  const refused = await planner.post<Refusal>('/missions', immediate(dock.sn));
  expect(refusalOf(refused)).toEqual([403, 'not_permitted', 'missions.start']);

  const missions = [later(dock.sn), immediate(dock.sn)];
  const { body } = await planner.post<{ results: readonly { status: number }[] }>('/missions/batch', { missions });
  expect(body.results.map((result) => result.status)).toEqual([201, 403]);
  expect(world.tap.executes()).toEqual([]);
}, 60_000);

it('lets a viewer look and a pilot fly', async () => {
  const dock = await world.dock();
  const [viewer, pilot] = [apiOf(await keyFor('viewer')), apiOf(await keyFor('pilot'))];
  const { id } = good(await pilot.post<{ id: string }>('/missions', immediate(dock.sn)));
  expect((await viewer.get(`/missions/${id}`)).status).toBe(200);
  for (const action of ['return-home', 'cancel', 'stop']) {
    expect((await viewer.post<Refusal>(`/missions/${id}/${action}`)).status).toBe(403);
  }
  expect((await world.ended(id)).state).toBe('succeeded');
}, 90_000);

it('asks over gRPC for the same', async () => {
  const dock = await world.dock();
  const client = missionClient();
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${(await keyFor('viewer')).key}`);
  const codeOf = (method: 'ListMissions' | 'CreateMission', request: object): Promise<number> =>
    new Promise((resolve) => client[method](request, metadata, (error) => resolve(error?.code ?? status.OK)));
  try {
    expect(await codeOf('ListMissions', {})).toBe(status.OK);
    const mission = { ...immediate(dock.sn), kind: 'MISSION_KIND_IMMEDIATE' };
    expect(await codeOf('CreateMission', { mission })).toBe(status.PERMISSION_DENIED);
  } finally {
    client.close();
  }
}, 60_000);

it('takes a key from its addresses alone, and believes the edge about them but not the caller', async () => {
  const make = (address: string) =>
    world.api.post<Key>('/api-keys', { name: 'from one place', roles: ['viewer'], addresses: [address] });
  const [here, elsewhere] = [good(await make('127.0.0.1')), good(await make('192.0.2.7'))];
  for (const path of ['/missions', '/docks']) {
    expect((await apiOf(here).get(path)).status).toBe(200);
    expect((await apiOf(elsewhere).get(path)).status).toBe(401);
    const forged = await fetch(`${world.stack.apiUrl}/api/v1${path}`, {
      headers: { authorization: `Bearer ${elsewhere.key}`, 'x-forwarded-for': '192.0.2.7' },
    });
    expect(forged.status).toBe(401);
  }
}, 60_000);

it('replaces and revokes a key, and shows to nobody the key itself', async () => {
  const old = await keyFor('viewer', 'org_admin');
  const fresh = good(await apiOf(old).post<Key>(`/api-keys/${old.id}/rotate`, { keepSeconds: 0 }));
  expect((await apiOf(old).get('/docks')).status).toBe(401);
  const listed = await apiOf(fresh).get<{ items: readonly { id: string; replaces: string | null }[] }>('/api-keys');
  expect(listed.body.items[0]).toMatchObject({ id: fresh.id, replaces: old.id });
  expect(JSON.stringify(listed.body)).not.toContain(fresh.key.slice(-43));
  good(await world.api.post(`/api-keys/${fresh.id}/revoke`));
  expect((await apiOf(fresh).get('/docks')).status).toBe(401);
}, 60_000);

it('answers 429 to a key that asks too often, says when to come again, and leaves other keys and services alone', async () => {
  const [busy, other] = [await keyFor('viewer'), await keyFor('viewer')];
  const ask = async ({ key }: Key, path: string) => {
    const response = await fetch(`${world.stack.apiUrl}/api/v1${path}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return { status: response.status, wait: response.headers.get('retry-after'), text: await response.text() };
  };
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(busy, '/log-policy')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.wait).toBe('1');
  expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({ code: 'too_many_requests', limit: 'key' });
  expect((await ask(other, '/log-policy')).status).toBe(200);
  expect((await ask(busy, '/missions')).status).toBe(200);
}, 60_000);

it('shuts every call of gRPC to a role that has no use for any of them, and none for want of a permission', async () => {
  const metadata = new Metadata();
  const auditor = await keyFor('auditor');
  metadata.set('authorization', `Bearer ${auditor.key}`);
  const { grpcAddress, logGrpcAddress, credentialGrpcAddress } = world.stack;
  const answers: string[] = [];
  const refused: string[] = [];
  for (const [proto, address] of [
    [MISSION_PROTO, grpcAddress],
    [LOG_PROTO, logGrpcAddress],
    [CREDENTIAL_PROTO, credentialGrpcAddress],
  ] as const) {
    for (const [service, definition] of Object.entries(loadSync(proto, { includeDirs: [PROTO_FOLDER] }))) {
      if ('format' in definition) continue;
      const Any = makeGenericClientConstructor(definition, service);
      const client = new Any(address, credentials.createInsecure());
      for (const [method, { responseStream, path, requestSerialize, responseDeserialize }] of Object.entries(
        definition,
      )) {
        const error = await new Promise<ServiceError | null>((resolve) => {
          if (!responseStream) {
            client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, (failed) =>
              resolve(failed),
            );
            return;
          }
          const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata);
          stream.on('data', () => undefined);
          stream.on('error', (failed: ServiceError) => resolve(failed));
          stream.on('end', () => resolve(null));
        });
        const { code } = JSON.parse(String(error?.metadata.get('problem')[0] ?? '{}')) as { code?: string };
        answers.push(`${method}: ${status[error?.code ?? status.OK]} ${code}`);
        refused.push(`${service.split('.').at(-1)}/${method} 403`);
      }
      client.close();
    }
  }
  expect(answers.length).toBeGreaterThan(35);
  expect(answers.filter((answer) => !answer.endsWith(': PERMISSION_DENIED not_permitted'))).toEqual([]);
  await eventually('a record of each of them', async () => {
    const found = await Promise.all(AUDITS.map((audit) => recordsOf(audit, `limit=200&by=key:${auditor.id}`)));
    return found.flat().map(wordsOf).sort().join() === refused.sort().join();
  });
}, 60_000);

it('N32: keeps a record of the viewer who starts a flight, over HTTP and over gRPC', async () => {
  const dock = await world.dock();
  const viewer = await keyFor('viewer');
  const { id } = good(await world.api.post<{ id: string }>('/missions', later(dock.sn)));
  expect((await apiOf(viewer).post('/missions', immediate(dock.sn))).status).toBe(403);
  const client = missionClient();
  const callOff = (key: string): Promise<number> => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    return new Promise((resolve) =>
      client.CancelMission({ id }, metadata, (error) => resolve(error?.code ?? status.OK)),
    );
  };
  try {
    expect(await callOff(viewer.key)).toBe(status.PERMISSION_DENIED);
    expect(await callOff(world.stack.apiKey)).toBe(status.OK);
  } finally {
    client.close();
  }
  await eventually('its records', async () => {
    const hers = await recordsOf('/mission-audit', `by=key:${viewer.id}`);
    expect(hers.map(wordsOf).sort()).toEqual(['MissionService/CancelMission 403', 'createMission 403']);
    expect((await recordsOf('/mission-audit', `resourceId=${id}`)).map(wordsOf)).toEqual([
      'MissionService/CancelMission 200',
      'MissionService/CancelMission 403',
      'createMission 201',
    ]);
    return true;
  });
}, 60_000);

it('lets a person sign in and fly, names the person, and is shut to a person who was removed', async () => {
  const dock = await world.dock();
  const [email, password] = ['anna@example.com', 'four words make one'];
  const { token } = good(await world.api.post<{ token: string }>('/invitations', { email, roles: ['pilot'] }));
  const nobody = apiOf({ id: '', key: 'none' });
  const { member } = good(
    await nobody.post<{ member: { id: string } }>('/invitations/accept', { token, name: 'Anna', password }),
  );
  const session = good(await nobody.post<{ token: string }>('/sessions', { email, password }));
  const anna = apiOf({ id: '', key: session.token });
  const { id, createdBy } = good(await anna.post<{ id: string; createdBy: string }>('/missions', immediate(dock.sn)));
  expect(createdBy).toBe(`person:${member.id}`);
  expect((await anna.post<Refusal>('/api-keys', { name: 'hers', roles: ['pilot'] })).status).toBe(403);
  expect((await world.ended(id)).state).toBe('succeeded');

  good(await world.api.delete(`/members/${member.id}`));
  // fleet-service knows at once, and so does who did not hear of her in the last minute.
  for (const path of ['/docks', '/log-uploads', '/storage']) expect((await anna.get(path)).status).toBe(401);
  expect((await nobody.post('/sessions', { email, password })).status).toBe(401);

  await eventually('the audit records of her', async () => {
    const hers = await recordsOf('/audit', `by=person:${member.id}`);
    expect(hers.map(wordsOf)).toEqual(
      expect.arrayContaining(['acceptInvitation 201', 'signIn 201', 'createApiKey 403']),
    );
    expect(await recordsOf('/audit', `operationId=removeMember&resourceId=${member.id}`)).toMatchObject([
      { status: 200 },
    ]);
    return true;
  });
}, 90_000);

// Beside the others: for most of it nothing happens.
it.concurrent(
  'N26: ends a stream within a minute once the key of its caller is revoked, and goes on with others',
  async () => {
    const dock = await world.dock();
    const { id } = good(await world.api.post<{ id: string }>('/missions', later(dock.sn)));
    const client = missionClient();
    const watched = async (key: string): Promise<{ readonly ended: Promise<number>; readonly told: () => number }> => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${key}`);
      const stream = client.WatchMission({ id }, metadata);
      let told = 0;
      stream.on('data', () => told++);
      const ended = new Promise<number>((resolve) => stream.on('error', ({ code }: ServiceError) => resolve(code)));
      await eventually('the mission is told', () => told > 0);
      return { ended, told: () => told };
    };
    try {
      const viewer = await keyFor('viewer');
      const [revoked, kept] = [await watched(viewer.key), await watched(world.stack.apiKey)];
      good(await world.api.post(`/api-keys/${viewer.id}/revoke`));
      const atMs = performance.now();
      expect(await revoked.ended).toBe(status.UNAUTHENTICATED);
      expect(performance.now() - atMs).toBeLessThan(60_000);
      const before = kept.told();
      good(await world.api.post(`/missions/${id}/cancel`));
      await eventually('the other is told of what happens', () => kept.told() > before);
    } finally {
      client.close();
    }
  },
  120_000,
);

function missionClient(): Client {
  const options = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
  const loaded = loadPackageDefinition(loadSync(MISSION_PROTO, options)) as unknown as {
    mission: { v1: { MissionService: new (address: string, how: unknown) => Client } };
  };
  return new loaded.mission.v1.MissionService(world.stack.grpcAddress, credentials.createInsecure());
}

type Unary = (request: object, metadata: Metadata, done: (error: { code: number } | null) => void) => void;
interface Client extends Record<'ListMissions' | 'CreateMission' | 'CancelMission', Unary> {
  readonly WatchMission: (request: object, metadata: Metadata) => ClientReadableStream<unknown>;
  close(): void;
}

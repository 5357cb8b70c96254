import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROLES } from '@aerie/bus-contract';
import { Api, good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Crawler, type DescribedOperation, type Seen, operations, withoutNamed } from './organisations/crawler.js';
import { GRPC_CASES } from './organisations/grpc-cases.js';
import { GrpcCrawler, type GrpcSeen } from './organisations/grpc-crawler.js';
import { IdentityProvider } from './organisations/identity-provider.js';
import {
  type Organisation,
  type Things,
  aWord,
  PASSWORD,
  furnish,
  keyOfNewOrganisation,
  randomThings,
} from './organisations/organisation.js';
import { ROUTE_CASES } from './organisations/route-cases.js';
import { ROLE_LETTERS, SAID_AT_SITES, SAID_OF_ROUTES } from './organisations/said-of-routes.js';
import { Rows, type RowsByTable, idsIn } from './organisations/rows.js';
import { World } from './world.js';

// Two organisations with everything in each. With every right of one, every operation of docs/api and every method of the
// proto files is asked for things of the other, and for things that are nowhere: the answers are the same.

let world: World;
let provider: IdentityProvider;
let rows: Rows;
let directory: string;
let first: Organisation;
let second: Organisation;
const OPERATIONS = operations();

beforeAll(async () => {
  provider = await IdentityProvider.start();
  directory = mkdtempSync(path.join(tmpdir(), 'aerie-organisations-'));
  const keyFile = path.join(directory, 'sign-in-keys');
  writeFileSync(keyFile, `one ${randomBytes(32).toString('base64')}\n`);
  world = await World.start({
    'fleet-service': {
      FLEET_KEY_FILE: keyFile,
      FLEET_SIGN_IN_RETURN_URL: 'http://localhost:4000/api/v1/sign-in/oidc/callback',
      FLEET_PRIVATE_PROVIDERS: 'allowed',
    },
  });
  const { stack } = world;
  const [one, other] = [aWord(), aWord()];
  const shared = { stack, issuer: provider.url };
  [first, second] = await Promise.all([
    furnish({ ...shared, word: one, key: stack.apiKey }),
    keyOfNewOrganisation(stack, other).then((key) => furnish({ ...shared, word: other, key })),
  ]);
  rows = await Rows.connect(stack.infrastructure.databaseUrl);
}, 180_000);
afterAll(async () => {
  await rows?.close();
  await Promise.all([first, second].flatMap((each) => each?.docks.map((dock) => dock.stop()) ?? []));
  await world?.stop();
  await provider?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

type Naming<Request> = (named: Things, own: Things) => readonly Request[];

/** Texts that only the other organisation has. */
interface Secrets {
  readonly word: string;
  readonly ids: ReadonlySet<string>;
  readonly others: readonly string[];
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;
const idsOf = (tables: RowsByTable): Set<string> => new Set(idsIn(Object.values(tables).flat()));
const rowsOf = (organisation: Organisation): Promise<RowsByTable> =>
  rows.of(organisation, organisation === first ? second : first);

async function secretsOf(other: Organisation, asker: Organisation): Promise<Secrets> {
  const own = idsOf(await rowsOf(asker));
  const ids = [...idsOf(await rowsOf(other))].filter((id) => !own.has(id));
  const { word, things } = other;
  return { word, ids: new Set([...ids, things.organisationId]), others: [things.accessKeyId, things.aircraftSn] };
}

/** What of the other organisation an answer holds. */
function leaksIn(answer: object, { word, ids, others }: Secrets): string[] {
  const text = JSON.stringify(answer);
  const found = (text.match(UUID) ?? []).filter((id) => ids.has(id));
  return [
    ...found,
    ...others.filter((other) => text.includes(other)),
    ...(text.toLowerCase().includes(word) ? [word] : []),
  ];
}

/** Without what is new in each good answer: ids of what was made, instants and signatures. */
function withoutNews<Answer extends object>(answer: Answer): Answer {
  const text = JSON.stringify(answer)
    .replace(UUID, '<id>')
    .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<instant>')
    .replace(/"(seconds|nanos)":\d+/g, '"$1":0')
    // Places in the chain of the caller's own records, within a body, and how long its number makes the body.
    .replace(/content-length: \d+(?=.*\\"seq\\":)/g, 'content-length')
    .replace(/\\"seq\\":\d+/g, 'seq')
    .replace(/\\"hash\\":\\"[\da-f]{64}/g, 'hash');
  return JSON.parse(text) as Answer;
}
const isGood = (answer: Seen | GrpcSeen): boolean => ('status' in answer ? answer.status < 300 : answer.code === 0);

/** A sentence for each difference between the answer about the other organisation and the one about nothing. */
function differences(what: string, about: Seen | GrpcSeen, nothing: Seen | GrpcSeen): string[] {
  const shown = (answer: Seen | GrpcSeen): string => JSON.stringify(isGood(answer) ? withoutNews(answer) : answer);
  return shown(about) === shown(nothing) ? [] : [`${what}: ${shown(about)} instead of ${shown(nothing)}`];
}

const operation = (id: string): DescribedOperation => {
  const found = OPERATIONS.find(({ operationId }) => operationId === id);
  if (found === undefined) throw new Error(`docs/api has no ${id}`);
  return found;
};

it('has requests for every operation of docs/api and every method of the proto files [N21]', () => {
  expect(OPERATIONS.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(ROUTE_CASES).sort());
  const crawler = new GrpcCrawler(world.stack, first.key);
  expect([...crawler.names].sort()).toEqual(Object.keys(GRPC_CASES).sort());
  crawler.close();
});

it('has rows in each table of organisations that a dock without faults and a person can fill', async () => {
  const both = [await rowsOf(first), await rowsOf(second)];
  const empty = rows.tablesOfOrganisations.filter((table) => both.every((found) => found[table]?.length === 0));
  expect(empty).toEqual(EMPTY_TABLES);
});

it('lets each role, limited to a site or not, in at each operation as docs/access.md says, and at no other [N41]', async () => {
  expect(Object.keys(SAID_OF_ROUTES).sort()).toEqual(OPERATIONS.map(({ operationId }) => operationId).sort());
  const api = new Api(world.stack.apiUrl, second.key);
  const wrong: string[] = [];
  const holders = Object.entries(ROLE_LETTERS).flatMap(([letter, role]) =>
    [null, [second.otherSite.siteId]].map((siteIds) => ({ letter, role, siteIds })),
  );
  for (const { letter, role, siteIds } of holders) {
    const { key } = good(await api.post<{ key: string }>('/api-keys', { name: role, roles: [role], siteIds }));
    const asker = new Crawler(world.stack, { ...second, key });
    for (const described of OPERATIONS) {
      // A parameter that is unknown is refused after the check of the permission, and before anything is done.
      const { uploadId: id, dockSn: sn, aircraftSn, organisationId } = second.things;
      const named = { id, sn, aircraftSn, organisationId };
      const { status, body } = await asker.ask(described, { path: named, query: { 'no-such-parameter': '1' } });
      const { code } = JSON.parse(body) as { code: string };
      const said = SAID_OF_ROUTES[described.operationId] ?? '';
      const isLeft = siteIds === null || SAID_AT_SITES.has(described.operationId);
      const isLetIn = said === '*' || (isLeft && said.includes(letter));
      const answered = `${status} ${code}`;
      const expected = isLetIn ? '422 unknown_parameter' : '403 not_permitted';
      if (answered !== expected)
        wrong.push(`${role} ${siteIds === null ? '' : 'of a site '}at ${described.operationId}: ${answered}`);
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);

it('tells those who watch a mission over gRPC nothing of missions of another organisation', async () => {
  const crawler = new GrpcCrawler(world.stack, second.key);
  const told: unknown[] = [];
  const stream = crawler.stream('MissionService/WatchMission', { id: second.things.plannedMissionId });
  stream.on('data', (message: unknown) => told.push(message));
  stream.on('error', () => undefined);
  try {
    await eventually('the mission is told', () => told.length > 0);
    const move = async ({ key, things }: Organisation) => {
      const executeAt = new Date(Date.now() + 21 * 3_600_000).toISOString();
      good(await new Api(world.stack.apiUrl, key).patch(`/missions/${things.plannedMissionId}`, { executeAt }));
    };
    await move(first);
    await move(second);
    await eventually('the change is told', () => told.length > 1);
    expect(leaksIn(told, await secretsOf(first, second))).toEqual([]);
  } finally {
    stream.cancel();
    crawler.close();
  }
});

it('signs no request for objects of another organisation', async () => {
  const downloadOf = async ({ key, things }: Organisation) => {
    const api = new Api(world.stack.apiUrl, key);
    return good(await api.post<{ url: string }>('/storage/downloads', { objectKey: things.objectKey })).url;
  };
  const [one, other] = [await downloadOf(first), await downloadOf(second)];
  expect(await (await fetch(one)).text()).toBe(first.word);
  const changed = one.replace(first.things.objectKey, second.things.objectKey);
  expect(changed).not.toBe(one);
  expect((await fetch(changed)).status).toBe(403);
  expect(await (await fetch(other)).text()).toBe(second.word);
});

/** Ends what was begun with the caller's own dock, which has gone. */
async function calmDown({ key }: Organisation): Promise<void> {
  const api = new Api(world.stack.apiUrl, key);
  for (const list of ['log-campaigns', 'log-uploads']) {
    const { items } = good(await api.get<{ items: readonly { id: string; final: boolean }[] }>(`/${list}`));
    for (const { id } of items.filter(({ final }) => !final)) {
      good(await api.post(`/${list}/${id}/cancel`));
      await eventually(
        'it has ended',
        async () => good(await api.get<{ final: boolean }>(`/${list}/${id}`)).final,
        30_000,
      );
    }
  }
}

/** Nothing is on its way any more once the docks have gone and the rows stay as they are. */
function quietRows(organisation: Organisation): Promise<RowsByTable> {
  let last = '';
  return eventually(
    'the rows stay as they are',
    async () => {
      const found = await rowsOf(organisation);
      const text = JSON.stringify(found);
      const isQuiet = text === last;
      last = text;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return isQuiet && found;
    },
    30_000,
  );
}

/** Every request that was answered is in the chain of its organisation. */
function quietRecords(organisation: Organisation): Promise<boolean> {
  let last = -1;
  return eventually(
    'what was asked is on record',
    async () => {
      const { waiting, kept } = await rows.recordsOf(organisation);
      const isQuiet = waiting === 0 && kept === last;
      last = kept;
      if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, 500));
      return isQuiet;
    },
    30_000,
  );
}

describe.each(['the first', 'the second'])('with every right of %s organisation', (which) => {
  let asker: Organisation;
  let other: Organisation;
  let crawler: Crawler;
  let grpc: GrpcCrawler;
  let secrets: Secrets;
  let before: RowsByTable;
  let cursors: ReadonlyMap<string, string>;

  beforeAll(async () => {
    [asker, other] = which === 'the first' ? [first, second] : [second, first];
    await Promise.all([first, second].flatMap(({ docks }) => docks.map((dock) => dock.stop())));
    [crawler, grpc] = [new Crawler(world.stack, asker), new GrpcCrawler(world.stack, asker.key)];
    cursors = await cursorsOf(other);
    before = await quietRows(other);
    secrets = await secretsOf(other, asker);
  }, 60_000);
  afterAll(() => grpc.close());

  it('lists and shows over HTTP and gRPC nothing of the other [N22]', async () => {
    const leaks: string[] = [];
    // What is looked for would be seen: it is in what the other sees of itself.
    const [itself, itsGrpc] = [new Crawler(world.stack, other), new GrpcCrawler(world.stack, other.key)];
    for (const id of ['listMissions', 'listDocks', 'listLogFiles', 'listMembers', 'listIssues']) {
      expect(leaksIn(await itself.ask(operation(id), {}), secrets)).not.toEqual([]);
    }
    expect(leaksIn(await itsGrpc.ask('MissionService/ListMissions', {}), secrets)).not.toEqual([]);
    itsGrpc.close();
    for (const [id, { plain }] of Object.entries(ROUTE_CASES)) {
      for (const asked of plain?.(asker.things) ?? []) {
        const answer = await crawler.ask(operation(id), asked);
        leaks.push(...leaksIn(answer, secrets).map((leak) => `${id}: ${leak}`));
      }
    }
    for (const [name, { plain }] of Object.entries(GRPC_CASES)) {
      for (const request of plain?.(asker.things) ?? []) {
        const answer = await grpc.ask(name, request);
        leaks.push(...leaksIn(answer, secrets).map((leak) => `${name}: ${leak}`));
      }
    }
    expect(leaks).toEqual([]);
  }, 60_000);

  it('goes on after a cursor of the other in its own list, and refuses one that was changed [N22]', async () => {
    const faults: string[] = [];
    for (const [id, cursor] of cursors) {
      const { path: named } = ROUTE_CASES[id]?.plain?.(asker.things)[0] ?? {};
      const ask = (changed: string) =>
        crawler.ask(operation(id), { ...(named && { path: named }), query: { limit: '1', cursor: changed } });
      const [about, nothing] = [await ask(cursor), await ask(elsewhere(cursor))];
      // The trail of the caller grows meanwhile.
      if (!id.endsWith('AuditRecords')) faults.push(...differences(id, about, nothing));
      faults.push(...leaksIn(about, secrets).map((leak) => `${id}: ${leak}`));
      if (about.status !== 200) faults.push(`${id}: ${about.status} to a cursor`);
      for (const changed of [cursor.slice(0, -9), `${cursor}AAAA`, cursor.slice(5), 'AAAA']) {
        const { status } = await ask(changed);
        if (status !== 422) faults.push(`${id}: ${status} to the cursor ${changed}`);
      }
    }
    expect(faults).toEqual([]);
  }, 60_000);

  it('cannot tell by any answer whether a thing is there [N21, N23]', async () => {
    const faults: string[] = [];
    const random = randomThings(other.things);
    const compared = (what: string, about: Seen | GrpcSeen, nothing: Seen | GrpcSeen): string[] => {
      const [one, two] = [withoutNamed(about, other.things), withoutNamed(nothing, random)];
      return [...differences(what, one, two), ...leaksIn(one, secrets).map((leak) => `${what}: ${leak}`)];
    };
    const tryAll = async <Request extends object>(
      cases: Readonly<Record<string, { readonly naming?: Naming<Request> }>>,
      ask: (name: string, request: Request) => Promise<Seen | GrpcSeen>,
    ) => {
      for (const [name, { naming }] of Object.entries(cases)) {
        const nothing = naming?.(random, asker.things) ?? [];
        for (const [index, request] of (naming?.(other.things, asker.things) ?? []).entries()) {
          const what = `${name} ${JSON.stringify(withoutNamed(request, other.things))}`;
          faults.push(...compared(what, await ask(name, request), await ask(name, nothing[index] ?? request)));
        }
      }
    };
    await tryAll(GRPC_CASES, (name, request) => grpc.ask(name, request));
    // A request is on record a moment after its answer, and the first routes list what is.
    await quietRecords(asker);
    await tryAll(ROUTE_CASES, (id, asked) => crawler.ask(operation(id), asked));
    expect(faults).toEqual([]);
  }, 60_000);

  it('has changed no row of the other', async () => {
    await calmDown(asker);
    const after = await rowsOf(other);
    const changed = Object.keys(before).filter(
      (table) => JSON.stringify(after[table]) !== JSON.stringify(before[table]),
    );
    expect(changed.map((table) => [table, before[table], after[table]])).toEqual([]);
  });
});

describe('with every right at one site of an organisation', () => {
  let crawler: Crawler;
  let grpc: GrpcCrawler;
  let whole: GrpcCrawler;
  let own: Things;
  /** What is at the other site; of the rest nothing that there is. */
  let named: Things;
  let secrets: Secrets;

  beforeAll(async () => {
    const { stack } = world;
    const api = new Api(stack.apiUrl, second.key);
    const { siteId, dockSn } = second.otherSite;
    const limits = { roles: ROLES, siteIds: [siteId] };
    const { key } = good(await api.post<{ key: string }>('/api-keys', { name: 'of a site', ...limits }));
    const email = `site-${second.word}@example.com`;
    const { token: invitation } = good(await api.post<{ token: string }>('/invitations', { email, ...limits }));
    const nobody = new Api(stack.apiUrl, 'none');
    good(await nobody.post('/invitations/accept', { token: invitation, name: 'Site', password: PASSWORD }));
    const { token } = good(await nobody.post<{ token: string }>('/sessions', { email, password: PASSWORD }));
    const executeAt = new Date(Date.now() + 25 * 3_600_000).toISOString();
    const plan = { dockSn, waylineId: second.things.waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 60 };
    const { id } = good(await new Api(stack.apiUrl, key).post<{ id: string }>('/missions', plan));
    const nothing = randomThings(second.things);
    const { waylineId, organisationId, campaignId } = second.things;
    own = {
      ...nothing,
      organisationId,
      waylineId,
      siteId,
      dockSn,
      plannedMissionId: id,
      flownMissionId: id,
      campaignId,
    };
    const { aircraftSn, alarmId, breakPointId, uploadId, fileId, flownMissionId, plannedMissionId } = second.things;
    named = {
      ...{ ...nothing, dockSn: second.things.dockSn, siteId: second.things.siteId, aircraftSn, breakPointId, uploadId },
      ...{ alarmId, fileId, flownMissionId, plannedMissionId, campaignId, objectKey: second.things.objectKey },
    };
    const asker = { ...second, key, token };
    [crawler, grpc, whole] = [
      new Crawler(stack, asker),
      new GrpcCrawler(stack, key),
      new GrpcCrawler(stack, second.key),
    ];
    const ids = new Set(await rows.idsOfDock(second.things.dockSn));
    secrets = { word: second.things.dockSn.toLowerCase(), ids, others: [aircraftSn, second.things.siteId] };
  }, 60_000);
  afterAll(() => {
    grpc?.close();
    whole?.close();
  });

  it('lists and shows over HTTP and gRPC nothing of docks at the other site [N22]', async () => {
    // Missions, commands, uploads, attempts and files at least.
    expect(secrets.ids.size).toBeGreaterThan(10);
    const itself = new Crawler(world.stack, second);
    for (const id of ['listMissions', 'listDocks', 'listLogFiles', 'listLogUploads', 'getLogUsage', 'listSites']) {
      expect(leaksIn(await itself.ask(operation(id), {}), secrets)).not.toEqual([]);
    }
    for (const name of ['MissionService/ListMissions', 'LogService/ListLogFiles', 'LogService/GetLogUsage']) {
      expect(leaksIn(await whole.ask(name, {}), secrets)).not.toEqual([]);
    }
    const leaks: string[] = [];
    for (const [id, { plain }] of Object.entries(ROUTE_CASES)) {
      for (const asked of plain?.(own) ?? []) {
        const answer = withoutNamed(await crawler.ask(operation(id), asked), own);
        leaks.push(...leaksIn(answer, secrets).map((leak) => `${id}: ${leak}`));
      }
    }
    for (const [name, { plain }] of Object.entries(GRPC_CASES)) {
      for (const request of plain?.(own) ?? []) {
        leaks.push(...leaksIn(await grpc.ask(name, request), secrets).map((leak) => `${name}: ${leak}`));
      }
    }
    expect(leaks).toEqual([]);
    // Its own is there.
    const { body } = await crawler.ask(operation('listMissions'), {});
    expect((JSON.parse(body) as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([own.plannedMissionId]);
    expect((await grpc.ask('MissionService/GetMission', { id: own.plannedMissionId })).code).toBe(0);
  }, 60_000);

  it('cannot tell by any answer whether a thing is at the other site or nowhere [N21, N23]', async () => {
    const faults: string[] = [];
    const random = { ...randomThings(named), campaignId: named.campaignId, objectKey: named.objectKey };
    const tryAll = async <Request extends object>(
      cases: Readonly<Record<string, { readonly naming?: Naming<Request> }>>,
      ask: (name: string, request: Request) => Promise<Seen | GrpcSeen>,
    ) => {
      for (const [name, { naming }] of Object.entries(cases)) {
        const nothing = naming?.(random, own) ?? [];
        for (const [index, request] of (naming?.(named, own) ?? []).entries()) {
          const about = withoutNamed(await ask(name, request), named);
          const of = withoutNamed(await ask(name, nothing[index] ?? request), random);
          const what = `${name} ${JSON.stringify(withoutNamed(request, named))}`;
          faults.push(...differences(what, about, of), ...leaksIn(about, secrets).map((leak) => `${what}: ${leak}`));
        }
      }
    };
    await tryAll(GRPC_CASES, (name, request) => grpc.ask(name, request));
    // What is open to all asks for no key, and counts guesses.
    const guarded = Object.entries(ROUTE_CASES).filter(([id]) => SAID_OF_ROUTES[id] !== '*');
    await tryAll(Object.fromEntries(guarded), (id, asked) => crawler.ask(operation(id), asked));
    expect(faults).toEqual([]);
  }, 60_000);

  it('is told over gRPC of its own mission while others watch theirs', async () => {
    const watch = (asker: GrpcCrawler, id: string) => {
      const told: unknown[] = [];
      const stream = asker.stream('MissionService/WatchMission', { id });
      stream.on('data', (message: unknown) => told.push(message));
      stream.on('error', () => undefined);
      return { told, stream };
    };
    const theirs = watch(whole, second.things.plannedMissionId);
    const mine = watch(grpc, own.plannedMissionId);
    try {
      await eventually('both are told', () => theirs.told.length > 0 && mine.told.length > 0);
      const executeAt = new Date(Date.now() + 26 * 3_600_000).toISOString();
      const asked = new Api(world.stack.apiUrl, crawler.key);
      good(await asked.patch(`/missions/${own.plannedMissionId}`, { executeAt }));
      await eventually('the change is told', () => mine.told.length > 1);
      expect(leaksIn(mine.told, secrets)).toEqual([]);
    } finally {
      theirs.stream.cancel();
      mine.stream.cancel();
    }
  });

  it('gets no answer to what somebody else asked for under the same key, and says nothing of it', async () => {
    const { dockSn, waylineId } = second.things;
    const mission = { dockSn, waylineId, rthAltitudeMeters: 60, kind: 'immediate', name: `${second.word} flown` };
    const asked = new Api(world.stack.apiUrl, crawler.key);
    const repeated = await asked.post<{ code: string }>('/missions', mission, { 'Idempotency-Key': second.word });
    expect([repeated.status, repeated.body.code]).toEqual([404, 'unknown_dock']);
    // The whole organisation gets the answer that it got.
    const again = await new Api(world.stack.apiUrl, second.key).post<{ id: string }>('/missions', mission, {
      'Idempotency-Key': second.word,
    });
    expect(again.body.id).toBe(second.things.flownMissionId);
  });

  it('finds in every service what is at the site now, and no longer what was taken away', async () => {
    const api = new Api(world.stack.apiUrl, second.key);
    const { dockSn, siteId, flownMissionId, fileId } = second.things;
    const paths = [`/docks/${dockSn}`, `/missions/${flownMissionId}`, `/log-files/${fileId}`];
    // What is known of a key is believed for half a minute, so each look has a new one.
    const statuses = async () => {
      const wish = { name: 'moved', roles: ROLES, siteIds: [second.otherSite.siteId] };
      const asked = new Api(world.stack.apiUrl, good(await api.post<{ key: string }>('/api-keys', wish)).key);
      return Promise.all(paths.map(async (each) => (await asked.get(each)).status));
    };
    expect(await statuses()).toEqual([404, 404, 404]);
    good(await api.patch(`/docks/${dockSn}`, { siteId: second.otherSite.siteId }));
    expect(await statuses()).toEqual([200, 200, 200]);
    good(await api.patch(`/docks/${dockSn}`, { siteId }));
    expect(await statuses()).toEqual([404, 404, 404]);
  });
});

/** Tables that no request and no dock of this story fills. */
const EMPTY_TABLES = ['fleet.aircraft_move', 'fleet.cut_off', 'fleet.identity', 'fleet.used_sign_in'];

/** `npm run test:walls` sets it: no figure of time belongs into what passes or fails on a machine with other work. */
const PAIRS = Number(process.env['AERIE_WALL_PAIRS'] ?? 0);
const TIMED = [
  ...['getMission', 'getTimeline', 'getWayline', 'getDock', 'getDockState', 'getApiKey', 'getMember'],
  ...['getLogUpload', 'getLogFile', 'getLogCampaign', 'presignDownload'],
];
const MOST_APART = 0.1;
const WARM_UP = 50;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

if (PAIRS > 0) {
  it.each(TIMED)(
    'takes as long at %s for a thing of another organisation as for one that is nowhere [N21]',
    async (id) => {
      const crawler = new Crawler(world.stack, second);
      const tookMs = { about: [] as number[], nothing: [] as number[] };
      const time = async (named: Things, into: number[]) => {
        const [asked] = ROUTE_CASES[id]?.naming?.(named, second.things) ?? [];
        if (asked === undefined) throw new Error(`${id} names nothing`);
        const beganAt = performance.now();
        await crawler.ask(operation(id), asked);
        into.push(performance.now() - beganAt);
      };
      for (let pair = -WARM_UP; pair < PAIRS; pair++) {
        const into = pair < 0 ? { about: [], nothing: [] } : tookMs;
        const random = randomThings(first.things);
        // Each comes first as often as the other.
        if (pair % 2 === 0) await time(first.things, into.about);
        await time(random, into.nothing);
        if (pair % 2 !== 0) await time(first.things, into.about);
      }
      const [about, nothing] = [median(tookMs.about), median(tookMs.nothing)];
      process.stderr.write(`${id}: ${about.toFixed(2)} ms and ${nothing.toFixed(2)} ms, medians of ${PAIRS} pairs\n`);
      expect(Math.abs(about - nothing) / nothing).toBeLessThan(MOST_APART);
    },
    120_000,
  );
}

/** Of each list by pages, where its second page begins for an organisation. */
async function cursorsOf(organisation: Organisation): Promise<ReadonlyMap<string, string>> {
  const crawler = new Crawler(world.stack, organisation);
  const found = new Map<string, string>();
  for (const described of OPERATIONS.filter(({ queries }) => queries.includes('cursor'))) {
    const { path: named } = ROUTE_CASES[described.operationId]?.plain?.(organisation.things)[0] ?? {};
    const { body } = await crawler.ask(described, { ...(named && { path: named }), query: { limit: '1' } });
    const { nextCursor } = JSON.parse(body) as { nextCursor: string | null };
    if (nextCursor === null) throw new Error(`${described.operationId} has no second page for ${organisation.word}`);
    found.set(described.operationId, nextCursor);
  }
  return found;
}

/** The same place in the list, after a thing that is nowhere. */
function elsewhere(cursor: string): string {
  // The place of a record in the chain of an organisation.
  if (/^\d+$/.test(cursor)) return cursor;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const changed = text.replace(UUID, () => randomUUID()).replace(/-\d\|/, '-0|');
  return Buffer.from(changed).toString('base64url');
}

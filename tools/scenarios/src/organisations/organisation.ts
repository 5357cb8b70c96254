import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { ROLES } from '@aerie/bus-contract';
import { type DockHandle, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { Api, type Stack, good, hasEnded, registerDock } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Client } from 'pg';
import { HOME, type MissionView } from '../world.js';

/** What a request can name of an organisation. */
export interface Things {
  readonly organisationId: string;
  readonly siteId: string;
  readonly dockSn: string;
  readonly aircraftSn: string;
  readonly waylineId: string;
  readonly plannedMissionId: string;
  readonly flownMissionId: string;
  readonly breakPointId: string;
  readonly uploadId: string;
  readonly fileId: string;
  readonly campaignId: string;
  readonly objectKey: string;
  readonly accessKeyId: string;
  readonly alarmId: string;
  readonly apiKeyId: string;
  readonly memberId: string;
  readonly invitationId: string;
  readonly sessionId: string;
  readonly providerId: string;
  readonly passkeyId: string;
}

const UUID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g;

/** A value of the same form that names nothing. */
export function randomLike(value: string): string {
  if (value.search(UUID) !== -1) return value.replace(UUID, () => randomUUID());
  const among = (letters: string): string => letters.charAt(randomInt(letters.length));
  return value
    .replace(/[A-Z]/g, () => among('ABCDEFGHIJKLMNOPQRSTUVWXYZ'))
    .replace(/[a-z]/g, () => among('abcdefghijklmnopqrstuvwxyz'))
    .replace(/\d/g, () => among('0123456789'));
}

export const randomThings = (things: Things): Things =>
  Object.fromEntries(
    Object.entries(things).map(([name, value]) => [name, randomLike(String(value))]),
  ) as unknown as Things;

export interface Organisation {
  /** A word that no other text holds: it is in each name, email address and serial number of the organisation. */
  readonly word: string;
  /** A key with every role. */
  readonly key: string;
  /** Session token of a member with every role. */
  readonly token: string;
  readonly things: Things;
  readonly docks: readonly DockHandle[];
  /** A site with a dock that never spoke; all else is at the site of `things`. */
  readonly otherSite: { readonly siteId: string; readonly dockSn: string };
}

export interface Beginning {
  readonly stack: Stack;
  readonly issuer: string;
  readonly word: string;
  readonly key: string;
}

export const aWord = (): string => `w${randomBytes(5).toString('hex')}`;
export const PASSWORD = 'four words make one';

/** A key with every role in an organisation of its own. */
export async function keyOfNewOrganisation(stack: Stack, word: string): Promise<string> {
  const nobody = new Api(stack.apiUrl, 'none');
  const email = `founder-${word}@example.com`;
  const setup = {
    token: await stack.createSetupLink(),
    organisation: `${word} organisation`,
    email,
    name: `${word} founder`,
  };
  good(await nobody.post('/setup', { ...setup, password: PASSWORD }));
  const { token } = good(await nobody.post<{ token: string }>('/sessions', { email, password: PASSWORD }));
  const founder = new Api(stack.apiUrl, token);
  return good(await founder.post<{ key: string }>('/api-keys', { name: `${word} all`, roles: ROLES })).key;
}

type Created = { readonly id: string };
type Page<Item> = { readonly items: readonly Item[] };

/** Makes everything that an organisation can have, two of what is listed by pages. */
export async function furnish({ stack, issuer, word, key }: Beginning): Promise<Organisation> {
  const apiOf = (bearer: string) => new Api(stack.apiUrl, bearer);
  const api = apiOf(key);
  const place = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
  const kmz = await makeSampleKmz({ ...place, waypoints: 3, aircraft: 'M3TD' });
  const waylineId = good(await api.upload<Created>(`/waylines?name=${word}-one`, kmz)).id;
  const longer = await makeSampleKmz({ ...place, waypoints: 4, aircraft: 'M3TD' });
  good(await api.upload<Created>(`/waylines?name=${word}-two`, longer));

  const dockSn = `${word.toUpperCase()}-1`;
  const absent = [2, 3].map((number) => `${word.toUpperCase()}-${number}`);
  for (const sn of absent) await registerDock(api, sn, 'dock2', `${word} absent`);
  const { organisationId, ...connection } = await registerDock(api, dockSn, 'dock2', `${word} first`);
  const { mqttUrl, mqttUser, mqttPassword, bindingCode } = connection;
  const dock = await startDock({
    ...{ sn: dockSn, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
    ...{
      position: HOME,
      speed: 200,
      progressIntervalMs: 500,
      osdIntervalMs: 1_000,
      hmsIntervalMs: 1_000,
      alarmPercent: 100,
    },
  });
  await dock.waitFor('online', 20_000);

  const siteWith = async (name: string, sn: string): Promise<string> => {
    const { id } = good(await api.post<Created>('/sites', { name: `${word} ${name}`, timeZone: 'Europe/Berlin' }));
    good(await api.patch(`/docks/${sn}`, { siteId: id }));
    return id;
  };
  const siteId = await siteWith('site', dockSn);
  const [otherDockSn = ''] = absent;
  const otherSite = { siteId: await siteWith('other site', otherDockSn), dockSn: otherDockSn };

  const once = { 'Idempotency-Key': word };
  const mission = { dockSn, waylineId, rthAltitudeMeters: 60 };
  const flown = good(
    await api.post<Created>('/missions', { ...mission, kind: 'immediate', name: `${word} flown` }, once),
  );
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const plan = async (hours: number) =>
    good(
      await api.post<Created>('/missions', {
        ...{ ...mission, kind: 'timed', name: `${word} at ${hours}`, executeAt: inHours(hours) },
      }),
    );
  const planned = await plan(20);
  const canceled = await plan(30);
  good(await api.post(`/missions/${canceled.id}/cancel`, { reason: `${word} reason` }));

  const people = await makePeople(apiOf, api, { stack, issuer, word, key });
  const apiKey = good(await api.post<Created>('/api-keys', { name: `${word} key`, roles: ['viewer'] }));
  const objectKey = await uploadObject(api, word);

  const isOver = async () => hasEnded(good(await api.get<MissionView>(`/missions/${flown.id}`)).state);
  await eventually('the mission has ended', isOver, 60_000);
  await eventually('its media are there', () => dock.mediaUploaded.length > 0, 30_000);
  const askForLogs = async (): Promise<Created> =>
    good(
      await api.post<Created>('/log-uploads', { dockSn, latest: { count: 1 } }, { 'Idempotency-Key': randomUUID() }),
    );
  const isFinal = async ({ id }: Created) => good(await api.get<{ final: boolean }>(`/log-uploads/${id}`)).final;
  const upload = await askForLogs();
  await eventually('the logs are there', () => isFinal(upload), 60_000);
  const called = await askForLogs();
  good(await api.post(`/log-uploads/${called.id}/cancel`));
  await eventually('the second upload is called off', () => isFinal(called), 30_000);
  const files = good(await api.get<Page<Created>>(`/log-files?uploadId=${upload.id}`)).items;
  good(await api.put('/mission-policy', {}));
  good(await api.put('/log-policy', { collectOnFailure: false }));
  const campaign = await makeCampaigns(api, word, absent);
  const aircraft = good(await api.get<Page<{ sn: string }>>(`/docks/${dockSn}/aircraft`)).items;
  for (const sn of [dockSn, ...absent]) {
    good(await api.post('/storage/revoke', { dockSn: sn, reason: `${word} revoked` }));
  }
  await chooseStorage(api, word, stack);
  const issues = good(
    await api.get<Page<{ accessKeyId: string | null }>>(`/storage/issues?dockSn=${dockSn}&kind=keys`),
  );
  const [alarm] = await eventually('the dock has an alarm', async () => {
    const { items } = good(await api.get<Page<Created>>(`/alarms?dockSn=${dockSn}`));
    return items.length > 0 && items;
  });
  const things: Readonly<Record<keyof Things, string | undefined>> = {
    ...{ organisationId, siteId, dockSn, waylineId, objectKey, ...people.things },
    ...{ plannedMissionId: planned.id, flownMissionId: flown.id, breakPointId: randomUUID() },
    ...{ uploadId: upload.id, campaignId: campaign.id, fileId: files[0]?.id, aircraftSn: aircraft[0]?.sn },
    ...{ alarmId: alarm?.id, apiKeyId: apiKey.id, accessKeyId: issues.items[0]?.accessKeyId ?? undefined },
  };
  const missing = Object.entries(things).filter(([, value]) => value === undefined);
  if (missing.length > 0) throw new Error(`${word} has no ${missing.map(([name]) => name).join(', ')}`);
  return { word, key, token: people.token, things: things as Things, docks: [dock], otherSite };
}

/** Two members, of which one is signed in, an open invitation and a provider. */
async function makePeople(apiOf: (key: string) => Api, api: Api, { stack, word, issuer }: Beginning) {
  const nobody = apiOf('none');
  const memberOf = async (email: string, roles: readonly string[]): Promise<string> => {
    const { token } = good(await api.post<{ token: string }>('/invitations', { email, roles }));
    const accepted = { token, name: `${word} person`, password: PASSWORD };
    return good(await nobody.post<{ member: Created }>('/invitations/accept', accepted)).member.id;
  };
  await memberOf(`other-${word}@example.com`, ['viewer']);
  const email = `member-${word}@example.com`;
  const memberId = await memberOf(email, ROLES);
  const { token } = good(await nobody.post<{ token: string }>('/sessions', { email, password: PASSWORD }));
  const person = apiOf(token);
  const [session] = good(await person.get<Page<Created>>('/sessions')).items;
  const open = { email: `open-${word}@example.com`, roles: ['viewer'] };
  const invitation = good(await api.post<{ id: string }>('/invitations', open));
  const provider = { name: `${word} provider`, issuer, clientId: `${word}-client`, clientSecret: `${word} secret` };
  const { id: providerId } = good(await api.post<Created>('/identity-providers', provider));
  const passkeyId = await passkeyOf(stack, memberId, word);
  return { token, things: { memberId, sessionId: session?.id, invitationId: invitation.id, providerId, passkeyId } };
}

/** Written into the table: no authenticator is here to make one. */
async function passkeyOf({ infrastructure }: Stack, personId: string, word: string): Promise<string> {
  const client = new Client({ connectionString: infrastructure.databaseUrl });
  await client.connect();
  const { rows } = await client
    .query<Created>(
      `INSERT INTO fleet.passkey (id, person_id, credential_id, public_key, sign_count, transports, name, synced)
       VALUES (gen_random_uuid(), $1, $2, '\\x00', 0, '{}', $3, false) RETURNING id`,
      [personId, `${word}-credential`, `${word} passkey`],
    )
    .finally(() => client.end());
  return rows[0]?.id ?? '';
}

async function uploadObject(api: Api, word: string): Promise<string> {
  const ask = { method: 'PUT', name: `${word}.txt`, contentType: 'text/plain', sizeBytes: word.length };
  const upload = good(
    await api.post<{ url: string; objectKey: string; fields: Record<string, string> }>('/storage/uploads', ask),
  );
  const stored = await fetch(upload.url, { method: 'PUT', headers: upload.fields, body: word });
  if (!stored.ok) throw new Error(`the object was refused: ${stored.status}`);
  return upload.objectKey;
}

/** Their docks are absent and they are paused, so that nothing changes while others look. */
async function makeCampaigns(api: Api, word: string, sns: readonly string[]): Promise<Created> {
  const begun = { docks: { sns }, logs: { latest: { count: 1 } }, concurrent: 1 };
  for (const name of [`${word} campaign`, `${word} further campaign`]) {
    const campaign = good(await api.post<Created>('/log-campaigns', { ...begun, name }));
    good(await api.post(`/log-campaigns/${campaign.id}/pause`));
  }
  const [last] = good(await api.get<Page<Created>>('/log-campaigns')).items;
  if (last === undefined) throw new Error('no campaign was made');
  return last;
}

/** The same bucket and the same keys as the deployment: what parts organisations there is the folder alone. */
async function chooseStorage(api: Api, word: string, { objectStoreUrl, storageKeys }: Stack): Promise<void> {
  const choice = {
    ...{ provider: 's3', dockEndpoint: objectStoreUrl, region: 'us-east-1', bucket: 'aerie' },
    ...{ roleArn: 'arn:aws:iam:::role/dock-upload', externalId: word, ...storageKeys },
  };
  good(await api.put('/storage', choice));
}

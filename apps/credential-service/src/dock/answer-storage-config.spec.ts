import type { DockRecord } from '@aerie/bus-contract';
import { encodeReply } from '@aerie/dji-protocol';
import { Secret, UnavailableError } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import type { UploadKeys, UploadKeysRequest } from '../keys/issue-upload-keys.js';
import { aStorage } from '../storages/a-storage.fixture.js';
import { AnswerStorageConfig } from './answer-storage-config.js';

const NOW_MS = 1_700_000_000_000;
const ORGANISATION = '11111111-1111-4111-8111-111111111111';
const PREFIX = `org/${ORGANISATION}/dock/D-1/media`;
const dock: DockRecord = {
  sn: 'D-1',
  organisationId: ORGANISATION,
  model: 'dock2',
  protocolGeneration: '1.15',
  name: 'D-1',
  aircraftSn: null,
};

let asked: UploadKeysRequest[];
let fails: boolean;
let provider: 'aws' | 'ali' | 's3';
let answer: AnswerStorageConfig;
beforeEach(() => {
  asked = [];
  fails = false;
  provider = 's3';
  const execute = async (request: UploadKeysRequest): Promise<UploadKeys> => {
    asked.push(request);
    if (fails) throw new UnavailableError('storage_unavailable', 'down');
    const keys = {
      accessKeyId: 'ASIA1',
      secretAccessKey: new Secret('the-secret'),
      sessionToken: new Secret('the-token'),
      issuedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 3_600_000,
    };
    return { keys, prefix: `${PREFIX}/`, storage: aStorage({ provider }) };
  };
  const logger = createLogger('credential-spec', 'silent');
  answer = new AnswerStorageConfig({ issueUploadKeys: { execute }, clock: { nowMs: () => NOW_MS }, logger });
});

it('gives a dock keys for its own folder, in seconds of life, in a form that docks read', async () => {
  const reply = await answer.execute(dock, 0);
  expect(encodeReply('requests_reply', 'storage_config_get', reply)).toEqual({
    result: 0,
    output: {
      provider: 'minio',
      endpoint: 'http://127.0.0.1:9000',
      region: 'us-east-1',
      bucket: 'aerie',
      object_key_prefix: PREFIX,
      credentials: {
        access_key_id: 'ASIA1',
        access_key_secret: 'the-secret',
        security_token: 'the-token',
        expire: 3_300,
      },
    },
  });
});

it('asks for the folder of the dock, which no mission has a part in (D7)', async () => {
  await answer.execute(dock, undefined);
  await answer.execute(dock, 0);
  const request = { organisationId: ORGANISATION, dockSn: 'D-1', use: { kind: 'media' }, askedBy: 'dock:D-1' };
  expect(asked).toEqual([expect.objectContaining(request), expect.objectContaining(request)]);
});

it.each([
  ['aws', 'aws'],
  ['ali', 'ali'],
  ['s3', 'minio'],
] as const)('calls a storage of kind %s %s, as docks know it', async (kind, word) => {
  provider = kind;
  expect((await answer.execute(dock, 0)).output?.provider).toBe(word);
});

it('K9: refuses with a result while there are no keys, and again gives some after that', async () => {
  fails = true;
  await expect(answer.execute(dock, 0)).resolves.toEqual({ result: 314_000 });
  fails = false;
  await expect(answer.execute(dock, 0)).resolves.toMatchObject({ result: 0 });
});

it('refuses a module that it does not know', async () => {
  await expect(answer.execute(dock, 1)).resolves.toEqual({ result: 314_000 });
  expect(asked).toEqual([]);
});

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { BUCKET, type RunningStore, startStore } from './running-store.fixture.js';

let store: RunningStore;
beforeAll(async () => {
  store = await startStore({});
});
afterAll(() => store.stop());

const metadataOf = async (Key: string): Promise<unknown> =>
  (await store.client().send(new HeadObjectCommand({ Bucket: BUCKET, Key }))).Metadata;

async function formed(Key: string, name: string, value: string): Promise<number> {
  const Fields = { [name]: value };
  const { url, fields } = await createPresignedPost(store.client(), { Bucket: BUCKET, Key, Fields });
  const form = new FormData();
  for (const [field, text] of Object.entries(fields)) form.append(field, text);
  form.append('file', new Blob(['content']), 'a.jpg');
  return (await fetch(url, { method: 'POST', body: form })).status;
}

it('keeps the metadata of an object', async () => {
  const Metadata = { dock: 'D-1', flight: '42' };
  await store.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: 'meta/put', Body: 'x', Metadata }));
  await expect(metadataOf('meta/put')).resolves.toEqual(Metadata);
});

it('keeps the metadata of an object in parts', async () => {
  const client = store.client();
  const object = { Bucket: BUCKET, Key: 'meta/parts' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...object, Metadata: { dock: 'D-1' } }));
  const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: 'x' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
  await expect(metadataOf('meta/parts')).resolves.toEqual({ dock: 'D-1' });
});

it('keeps the metadata of a form', async () => {
  expect(await formed('meta/form', 'x-amz-meta-dock', 'D-1')).toBe(204);
  await expect(metadataOf('meta/form')).resolves.toEqual({ dock: 'D-1' });
});

it.each([
  ['a name that is no header', 'x-amz-meta-a b', 'x'],
  ['a value that is no header', 'x-amz-meta-a', '\u4e2d'],
])('refuses %s, which would make the object unreadable', async (_, name, value) => {
  expect(await formed('meta/wrong', name, value)).toBe(400);
  expect(store.store.find(BUCKET, 'meta/wrong')).toBeNull();
});

it('refuses more than two kilobytes of it', async () => {
  const command = new PutObjectCommand({
    ...{ Bucket: BUCKET, Key: 'meta/large', Body: 'x' },
    Metadata: { much: 'x'.repeat(2_048) },
  });
  await expect(store.client().send(command)).rejects.toMatchObject({ name: 'MetadataTooLarge' });
});

import { makeContext } from '../context.js';
import { Inquiries } from '../inquiries.js';
import type { Json } from '../wire.js';
import { StorageKeys } from './storage-keys.js';

const answer = (prefix: string, keyId: string): Json => ({
  result: 0,
  output: {
    ...{ bucket: 'media', endpoint: 'http://127.0.0.1:1', region: 'us-east-1', provider: 'minio' },
    object_key_prefix: prefix,
    credentials: { access_key_id: keyId, access_key_secret: 's', security_token: 't', expire: 3_600 },
  },
});

/** Keys of a dock whose cloud gives these answers, one after the other. */
function keysWith(...answers: Json[]) {
  const context = makeContext({ sn: 'DOCK' });
  const asked: Json[] = [];
  const inquiries = new Inquiries(context, (_topic, payload) => {
    const message = JSON.parse(payload) as { tid: string; method: string; data: Json };
    asked.push({ method: message.method, data: message.data });
    const next = answers.shift();
    queueMicrotask(() => (next ? inquiries.answered(message.tid, next) : inquiries.abandon()));
    return true;
  });
  return { context, asked, keys: new StorageKeys(context, inquiries) };
}

const brief = async (keys: StorageKeys): Promise<string | undefined> => {
  const storage = await keys.current();
  return storage && `${storage.prefix} ${storage.access.accessKeyId}`;
};

describe('the storage of a dock', () => {
  it('is asked for as the module of media, and once while the keys live', async () => {
    const { keys, asked, context } = keysWith(answer('first', 'A'), answer('second', 'B'));
    expect(await brief(keys)).toBe('first A');
    context.faults.set('clock-skew=+59m');
    expect(await brief(keys)).toBe('first A');
    expect(asked).toEqual([{ method: 'storage_config_get', data: { module: 0 } }]);
  });

  it('is asked for again when the life of the keys is over, and keeps the first prefix all the same (D7)', async () => {
    const { keys, context } = keysWith(answer('first', 'A'), answer('second', 'B'));
    await keys.current();
    context.faults.set('clock-skew=+61m');
    expect(await brief(keys)).toBe('first B');
  });

  it('is asked for again when the keys were of no use, and keeps the first prefix all the same (D7)', async () => {
    const { keys } = keysWith(answer('first', 'A'), answer('second', 'B'));
    await keys.current();
    keys.renew();
    expect(await brief(keys)).toBe('first B');
  });

  it('has the new prefix after a reboot', async () => {
    const { keys } = keysWith(answer('first', 'A'), answer('second', 'B'));
    await keys.current();
    keys.forget();
    expect(await brief(keys)).toBe('second B');
  });

  it('is unknown when the cloud refuses, until it gives keys', async () => {
    const { keys, context } = keysWith({ ...answer('none', 'X'), result: 314000 }, answer('first', 'A'));
    expect(await brief(keys)).toBeUndefined();
    expect(context.journal.facts.at(-1)?.detail).toEqual({ method: 'storage_config_get', result: 314000 });
    expect(await brief(keys)).toBe('first A');
  });

  it('is unknown when nobody answers, also when the keys were known until they were over', async () => {
    const { keys, context } = keysWith(answer('first', 'A'));
    await keys.current();
    context.faults.set('clock-skew=+61m');
    expect(await brief(keys)).toBeUndefined();
  });

  it('is read where the members lie beside output', async () => {
    const { output } = answer('first', 'A') as { output: Json };
    const { keys } = keysWith({ result: 0, ...output });
    expect(await brief(keys)).toBe('first A');
  });
});

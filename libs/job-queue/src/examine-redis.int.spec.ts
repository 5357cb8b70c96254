import { type PrivateServer, startPrivateValkey } from '@aerie/testing';
import { examineRedis, redisFindings } from './examine-redis.js';

let valkey: PrivateServer | undefined;
afterEach(async () => {
  await valkey?.remove();
  valkey = undefined;
});

const told = async (settings: readonly string[], queues = true, login = ''): Promise<string[]> => {
  valkey = await startPrivateValkey(settings);
  const findings = await examineRedis(valkey.url.replace('://', `://${login}`), { queues, keys: '{aerie}:spec' });
  return findings.map(({ field, message, isError }) => `${isError ? 'error' : 'warning'}: ${field} ${message}`);
};

describe('the settings of Redis', () => {
  it('are as they should be, also for a user who may not read its configuration', async () => {
    const user = 'user spec on >hunter2 ~* &* +@all -config';
    await expect(told([user], true, 'spec:hunter2@')).resolves.toEqual([]);
  });

  it('are refused where the server evicts what queues hold', async () => {
    await expect(told(['maxmemory-policy allkeys-lru'])).resolves.toEqual([
      expect.stringMatching(/^error: maxmemory-policy is allkeys-lru: .* set it to noeviction$/),
    ]);
  });

  it('are a warning where it evicts and holds no queues, or forgets all at a restart', async () => {
    await expect(told(['maxmemory-policy allkeys-lru', 'appendonly no'], false)).resolves.toEqual([
      expect.stringMatching(/^warning: maxmemory-policy/),
      expect.stringMatching(/^warning: appendonly is no/),
    ]);
  });

  it('are told by the version too', () => {
    const versionOf = (version: string) =>
      redisFindings(`redis_version:${version}\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n`, {
        queues: true,
      }).map(({ field, isError }) => [field, isError]);
    expect(versionOf('4.0.14')).toEqual([['version', true]]);
    expect(versionOf('6.0.0')).toEqual([['version', false]]);
    expect([versionOf('6.2.0'), versionOf('7.2.4'), versionOf('10.0.0')]).toEqual([[], [], []]);
  });

  it('are not known while it is away', async () => {
    await expect(examineRedis('redis://127.0.0.1:1', { queues: true, keys: '{aerie}:spec' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

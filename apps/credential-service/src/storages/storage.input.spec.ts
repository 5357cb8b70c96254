import { type Clock, InvalidError } from '@aerie/kernel';
import { openProvider } from '../providers/open-provider.js';
import { aStorage } from './a-storage.fixture.js';
import { Outbound } from '@aerie/outbound';
import { readStorageInput } from './storage.input.js';

const outbound = new Outbound(false);
const clock: Clock = { nowMs: () => 0 };
const sent = (provider: string, bucket: string) => ({
  ...{ provider, bucket, dockEndpoint: 'https://storage.example', region: 'cn-hangzhou' },
  ...{ roleArn: 'acs:ram::1:role/docks', accessKeyId: 'AKEXAMPLE', secretAccessKey: 'the secret of this test' },
});

it.each(['aws', 'ali', 's3'])('opens whatever bucket it takes for %s', (provider) => {
  for (const bucket of ['abc', 'a-b', 'a'.repeat(63), 'a.b', '1.2.3.4']) {
    let input;
    try {
      input = readStorageInput(sent(provider, bucket), outbound);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidError);
      expect((error as InvalidError).fields).toMatchObject([{ field: 'bucket' }]);
      continue;
    }
    const opened = openProvider(
      { ...aStorage(), ...input, secretAccessKey: aStorage().secretAccessKey },
      outbound.agents(),
      clock,
    );
    opened.stop();
  }
});

it('takes a bucket with a dot for all but ali', () => {
  const takes = (provider: string): boolean => {
    try {
      return readStorageInput(sent(provider, 'a.b'), outbound).bucket === 'a.b';
    } catch {
      return false;
    }
  };
  expect(['aws', 's3', 'ali'].map(takes)).toEqual([true, true, false]);
});

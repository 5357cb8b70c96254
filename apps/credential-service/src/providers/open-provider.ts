import type { Clock } from '@aerie/kernel';
import type { Agents } from '@aerie/outbound';
import type { Storage } from '../storages/storage.js';
import { OssProvider } from './oss/oss.provider.js';
import { S3Provider } from './s3/s3.provider.js';
import type { StorageProvider } from './storage.provider.js';

/** What talks to this storage. */
export function openProvider(storage: Storage, agents: Agents, clock: Clock): StorageProvider {
  return storage.provider === 'ali' ? new OssProvider(storage, agents, clock) : new S3Provider(storage, agents, clock);
}

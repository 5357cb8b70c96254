import type { ProviderName, Storage } from '../storages/storage.js';

/** The storage as docks are told of it. */
export interface DockStorage {
  readonly provider: 'ali' | 'aws' | 'minio';
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
}

/** Docks know three words; `minio` is every storage that speaks as S3 does. [Cloud API, storage_config_get] */
const WORD: Readonly<Record<ProviderName, DockStorage['provider']>> = { ali: 'ali', aws: 'aws', s3: 'minio' };

export const dockStorageOf = ({ provider, dockEndpoint, region, bucket }: Storage): DockStorage => ({
  provider: WORD[provider],
  endpoint: dockEndpoint,
  region,
  bucket,
});

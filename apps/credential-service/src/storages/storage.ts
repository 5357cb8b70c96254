import type { Secret } from '@aerie/kernel';

/** `s3`: every storage that speaks S3 and STS as AWS does, e.g. MinIO, Ceph RGW, and our own object-store. */
export const PROVIDERS = ['aws', 'ali', 's3'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** A bucket, and how keys for it are made. */
export interface Storage {
  readonly provider: ProviderName;
  /** As docks reach it: its host is part of every signature that they use. */
  readonly dockEndpoint: string;
  /** As we reach it. */
  readonly serviceEndpoint: string;
  /** Where keys for a while are made; null: where the provider has it. */
  readonly stsEndpoint: string | null;
  /** Where a role's policies are changed, for revocation; null: where the provider has it, and nowhere for `s3`. */
  readonly iamEndpoint: string | null;
  readonly region: string;
  readonly bucket: string;
  /** `http://host/bucket/key` instead of `http://bucket.host/key`. */
  readonly pathStyle: boolean;
  /** The role whose rights keys for docks are cut from. */
  readonly roleArn: string;
  readonly externalId: string | null;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Life of keys for media, seconds; the most that the role allows. */
  readonly lifetimeSeconds: number;
}

/** The storage that an organisation uses, and who decided so. */
export interface ChosenStorage {
  readonly storage: Storage;
  readonly chosenBy: 'organisation' | 'deployment';
  /** Grows with every change; 0 for that of the deployment. */
  readonly version: number;
}

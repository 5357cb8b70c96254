import { z } from 'zod';
import { replyWith, strictReplyWith, type ReplyWith } from '../reply.js';
import { httpUrl } from '../strict.js';
import { integer, name, optional, record, text } from '../tolerant.js';
import { decodeStorageKeys, strictStorageKeys, type StorageKeys } from './storage-keys.js';

/** Where may I put my media, and with which keys? [Cloud API, storage_config_get] */
export interface StorageConfigGet {
  /** 0: media, the only value. Missing from some docks. */
  readonly module?: number;
}

/** Docks keep the answer, the prefix included, until they are rebooted (quirk D7): it must suit every mission. */
export interface StorageConfig {
  readonly bucket: string;
  /** With scheme, as the dock reaches it. */
  readonly endpoint: string;
  readonly region: string;
  readonly provider: 'ali' | 'aws' | 'minio';
  /** The dock writes `<prefix>/<its own sub-path>/<file name>`. */
  readonly object_key_prefix: string;
  /** `expire`: whole seconds of life (quirk L4). */
  readonly credentials: StorageKeys;
}

export type StorageConfigGetReply = ReplyWith<StorageConfig>;

const NAMES = ['bucket', 'endpoint', 'region', 'provider', 'object_key_prefix', 'credentials'];

export const decodeStorageConfigGet: z.ZodType<StorageConfigGet> = record({ module: optional(integer) });

/** Up to 1.3 the tables print the members beside `output` (quirk D14). */
export const decodeStorageConfigGetReply = replyWith(
  record({
    bucket: name,
    endpoint: name,
    region: text,
    provider: name,
    object_key_prefix: text,
    credentials: decodeStorageKeys,
  }),
  NAMES,
) as z.ZodType<StorageConfigGetReply>;

/** The longest life that a provider gives: twelve hours. [AWS STS, AssumeRole; RAM, AssumeRole] */
const MAX_LIFE_SECONDS = 43_200;

export const strictStorageConfigGetReply: z.ZodType<StorageConfigGetReply> = strictReplyWith(
  z.object({
    bucket: z.string().min(3).max(63),
    endpoint: httpUrl,
    region: z.string().min(1),
    provider: z.enum(['ali', 'aws', 'minio']),
    object_key_prefix: z.string().min(1).max(512),
    credentials: strictStorageKeys(z.int().min(1).max(MAX_LIFE_SECONDS)),
  }),
);

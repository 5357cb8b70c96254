import { z } from 'zod';
import { integer, name, record, text } from '../tolerant.js';

/** Keys of a storage for a while, as docks are given them. */
export interface StorageKeys {
  readonly access_key_id: string;
  readonly access_key_secret: string;
  readonly security_token: string;
  /** Seconds of life in `storage_config_get`, milliseconds since the epoch in `fileupload_start` (quirk L4). */
  readonly expire: number;
}

export const decodeStorageKeys: z.ZodType<StorageKeys> = record({
  access_key_id: name,
  access_key_secret: name,
  security_token: text,
  expire: integer,
});

export const strictStorageKeys = (expire: z.ZodType<number>): z.ZodType<StorageKeys> =>
  z.object({
    access_key_id: z.string().min(1),
    access_key_secret: z.string().min(1),
    security_token: z.string().min(1),
    expire,
  });

/** No key lives for thirty years, and no instant since 2001 is smaller. */
const EPOCH_SECONDS_FROM = 1_000_000_000;
const EPOCH_MS_FROM = 1_000_000_000_000;

/**
 * When keys end, in milliseconds since the epoch, whichever unit the writer of `expire` took: the published tables
 * and examples contradict each other (quirk L4), so the magnitude decides.
 */
export function keysEndAtMs(expire: number, nowMs: number): number {
  if (expire >= EPOCH_MS_FROM) return expire;
  return expire >= EPOCH_SECONDS_FROM ? expire * 1_000 : nowMs + expire * 1_000;
}

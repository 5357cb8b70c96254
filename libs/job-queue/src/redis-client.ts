import { PEER_NAMES, Peer, tlsOptions, tlsProblem } from '@aerie/kernel';
import { Redis, type RedisOptions } from 'ioredis';

/** A client of Redis. It connects, and connects again, by itself. */
export function redisClient(address: Peer | string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const peer = Peer.at(address);
  const tls = tlsOptions(peer);
  // The client's own reading of `rediss:` would set TLS without what it is verified by.
  const url = peer.url.replace(/^rediss:/, 'redis:');
  return new Redis(url, { ...options, ...(tls === undefined ? {} : { tls: { ...tls } }) });
}

/** The server's word that our user may not do this. */
export const isForbidden = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOPERM');

/** What a client of Redis complains of, with the setting that is to blame where TLS refuses. */
export const redisError = (error: unknown, address: Peer | string): unknown =>
  tlsProblem(error, Peer.at(address), PEER_NAMES.redis) ?? error;

import type { SecureContextOptions } from 'node:tls';
import type { Secret } from '@aerie/kernel';

/** What the listeners of a program show, as PEM. */
export interface ListenTls {
  /** Those between it and its authority may follow it. */
  readonly cert: string;
  readonly key: Secret;
}

/**
 * Suites whose keys are gone with the connection, and which notice a changed byte. Node's own list has older ones too, for
 * callers of another age. [RFC 9325, 4.2]
 */
const SUITES = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

/** What holds for each listener, whatever `NODE_OPTIONS` allows. */
export const LISTEN_LIMITS = { minVersion: 'TLSv1.2', ciphers: SUITES } as const;

export const listenOptions = ({ cert, key }: ListenTls): SecureContextOptions => ({
  ...LISTEN_LIMITS,
  cert,
  key: key.reveal(),
});

import { type Socket, connect as connectPlain } from 'node:net';
import { type SecureVersion, connect } from 'node:tls';

/** One version and the suites of it that a client offers, by their names in OpenSSL. */
export interface TlsHello {
  readonly version: SecureVersion;
  /** Default: all that this Node has. */
  readonly suites?: string;
  /** Where the server asks for a certificate. */
  readonly identity?: { readonly cert: string; readonly key: string } | undefined;
  /** Brings a connection to where TLS begins, for protocols that begin in clear. */
  readonly before?: (socket: Socket) => Promise<void>;
}

export type TlsAnswer = { readonly agreed: string } | { readonly refused: string };

/** Nobody should be talked into one of these: a body in clear, no certificate, keys that outlive the connection, or CBC. */
export const WEAK_SUITES = [
  ...['NULL-SHA256', 'ECDHE-ECDSA-NULL-SHA', 'AECDH-AES128-SHA', 'ADH-AES128-SHA'],
  ...['AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384'],
] as const;

const ANSWER_WITHIN_MS = 10_000;

/** What a listener on this machine answers to one hello. Its certificate is not looked at. */
export async function tryTls(
  port: number,
  { version, suites = 'ALL', identity, before }: TlsHello,
): Promise<TlsAnswer> {
  const socket = connectPlain({ host: '127.0.0.1', port });
  try {
    await before?.(socket);
    return await new Promise<TlsAnswer>((resolve) => {
      const secure = connect({
        socket,
        ...identity,
        minVersion: version,
        maxVersion: version,
        // OpenSSL would not even offer what is old.
        ciphers: `${suites}:@SECLEVEL=0`,
        rejectUnauthorized: false,
      });
      secure.setTimeout(ANSWER_WITHIN_MS, () => resolve({ refused: 'silence' }));
      secure.once('secureConnect', () => resolve({ agreed: `${secure.getProtocol()} ${secure.getCipher().name}` }));
      secure.once('error', (error: NodeJS.ErrnoException) => resolve({ refused: error.code ?? error.message }));
      secure.once('close', () => resolve({ refused: 'closed' }));
    });
  } finally {
    socket.destroy();
  }
}

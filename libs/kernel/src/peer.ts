import { InvalidError } from './errors.js';
import type { Secret } from './secret.js';

/** What a connection over TLS is verified by, as PEM. Without `ca` it is the authorities that Node brings along. */
export interface PeerTls {
  readonly ca?: string | undefined;
  /** Our own certificate and its key, where the server asks for one. */
  readonly cert?: string | undefined;
  readonly key?: Secret | undefined;
}

/** Schemes that ask for TLS. */
const TLS_SCHEMES = new Set(['tls:', 'rediss:', 'mqtts:', 'https:']);

/** A server that a program connects to. Its URL may hold a password, so printing it shows scheme, host and port only. */
export class Peer {
  readonly #url: URL;
  readonly #tls: PeerTls | undefined;

  /** @param tls demands TLS, whatever the scheme */
  constructor(url: string, tls?: PeerTls) {
    this.#url = new URL(url);
    this.#tls = tls ?? (TLS_SCHEMES.has(this.#url.protocol) ? {} : undefined);
  }

  /** Most tests have plain servers on loopback, which are no more than a URL. */
  static at(address: Peer | string): Peer {
    return typeof address === 'string' ? new Peer(address) : address;
  }

  /** The same server for another user. */
  as(user: string, password: Secret): Peer {
    const url = new URL(this.#url);
    url.username = encodeURIComponent(user);
    url.password = encodeURIComponent(password.reveal());
    return new Peer(url.href, this.#tls);
  }

  get url(): string {
    return this.#url.href;
  }

  /** Undefined where the connection is plain. */
  get tls(): PeerTls | undefined {
    return this.#tls;
  }

  /** Name or address of the host, without the brackets that a URL puts around IPv6. */
  get host(): string {
    return this.#url.hostname.replace(/^\[(.*)\]$/, '$1');
  }

  get user(): string {
    return decodeURIComponent(this.#url.username);
  }

  get password(): string {
    return decodeURIComponent(this.#url.password);
  }

  toString(): string {
    return `${this.#url.protocol}//${this.#url.host}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Options of `tls.connect` for a peer; undefined where the connection is plain. */
export interface TlsOptions {
  readonly rejectUnauthorized: true;
  /**
   * The name that the certificate has to be for. Several clients hand a socket to `tls.connect` that is open already, and
   * without this Node compares with `localhost` when the address is an IP address.
   */
  readonly host: string;
  /** For servers that have several certificates. It has to be a name. */
  readonly servername?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function tlsOptions(peer: Peer): TlsOptions | undefined {
  const { tls, host } = peer;
  if (tls === undefined) return undefined;
  return {
    rejectUnauthorized: true,
    host,
    ...(isAddress(host) ? {} : { servername: host }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key.reveal() }),
  };
}

const isAddress = (host: string): boolean => host.includes(':') || /^\d+(\.\d+){3}$/.test(host);

/** What an error names: the settings of a peer begin with `prefix`. */
export interface PeerName {
  /** As people call it: `PostgreSQL`. */
  readonly what: string;
  readonly prefix: string;
  /** The setting that holds its address. */
  readonly setting: string;
}

export const PEER_NAMES = {
  postgres: { what: 'PostgreSQL', prefix: 'DATABASE', setting: 'DATABASE_URL' },
  nats: { what: 'NATS', prefix: 'NATS', setting: 'NATS_URL' },
  redis: { what: 'Redis', prefix: 'REDIS', setting: 'REDIS_URL' },
  broker: { what: 'the MQTT broker', prefix: 'MQTT', setting: 'MQTT_URL' },
  traces: { what: 'the collector of traces', prefix: 'TRACES', setting: 'TRACES_ENDPOINT' },
} as const satisfies Record<string, PeerName>;

const UNTRUSTED = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_SIGNATURE_FAILURE', 'CERT_UNTRUSTED'],
]);
const OUT_OF_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
/** Alerts by which a server refuses our certificate, or asks for one. [RFC 8446, 6.2] */
const CERTIFICATE_ALERT =
  /alert[ _](certificate|unknown[ _]ca|bad[ _]certificate|unsupported[ _]certificate|handshake[ _]failure)/i;
/** What TLS says when the other side speaks something else. It is in the code or, under EPROTO, in the message. */
const SPEAKS_NO_TLS =
  /wrong[ _]version[ _]number|(?:packet|data)[ _]length[ _]too[ _]long|unexpected[ _]message|http[ _]request/i;
/** The same as clients say it that ask a server for TLS first: those of NATS and PostgreSQL. */
const OFFERS_NO_TLS = /server does not support 'tls'|does not support SSL connections/;

/**
 * The setting that is to blame for a failed connection, in an error that says what to change; undefined for errors of
 * other kinds, such as a server that is away.
 */
export function tlsProblem(error: unknown, peer: Peer, name: PeerName): InvalidError | undefined {
  for (let cause = error, depth = 0; isObject(cause) && depth < MAX_DEPTH; cause = cause.cause, depth++) {
    const { code, message } = cause;
    const found = problemOf(
      typeof code === 'string' ? code : '',
      typeof message === 'string' ? message : '',
      peer,
      name,
    );
    if (found === undefined) continue;
    const [field, text] = found;
    return new InvalidError(
      'invalid_config',
      `failed to connect to ${name.what} at ${String(peer)}: ${field} ${text}`,
      {
        fields: [{ field, message: text }],
        cause: error,
      },
    );
  }
  return undefined;
}

/** Errors wrap each other; more than this many times they are a circle. */
const MAX_DEPTH = 8;

const isObject = (
  value: unknown,
): value is { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown } =>
  typeof value === 'object' && value !== null;

function problemOf(
  code: string,
  message: string,
  peer: Peer,
  { prefix, setting }: PeerName,
): readonly [field: string, message: string] | undefined {
  if (UNTRUSTED.has(code)) {
    const which =
      peer.tls?.ca === undefined ? 'is not set, and no public authority' : 'does not hold the authority that';
    return [`${prefix}_CA_FILE`, `${which} signed the certificate of the server (${code})`];
  }
  if (OUT_OF_DATE.has(code)) return [setting, `leads to a server whose certificate is out of date (${code})`];
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return [setting, `names the host ${peer.host}, and the certificate of the server is for others (${message})`];
  }
  const said = `${code} ${message}`;
  if (CERTIFICATE_ALERT.test(said)) {
    const has = peer.tls?.cert === undefined ? 'is not set' : 'was refused';
    return [`${prefix}_CERT_FILE`, `${has}: the server wants a client certificate that it trusts (${code})`];
  }
  if ((code !== '' && SPEAKS_NO_TLS.test(said)) || OFFERS_NO_TLS.test(message)) {
    return [setting, 'leads to a server that does not speak TLS, which was asked for; nothing was sent to it'];
  }
  return undefined;
}

import { X509Certificate } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import { type FieldProblem, PEER_NAMES, Peer, type PeerTls, Secret } from '@aerie/kernel';
import { z } from 'zod';
import type { ListenTls } from './listen-tls.js';

/** Far above any password or bundle of certificates, and far below what a wrong path may lead to. */
const MAX_FILE_BYTES = 64 * 1024;

/** Beside the certificate of the listeners. */
const LISTEN_KEY = 'LISTEN_KEY_FILE';

type PeerKind = keyof typeof PEER_NAMES;

/** Schemes of an address, and whether TLS is possible behind the plain one. */
const SCHEMES = {
  postgres: { plain: ['postgres:', 'postgresql:'], tls: [], upgrades: true },
  nats: { plain: ['nats:'], tls: ['tls:'], upgrades: true },
  redis: { plain: ['redis:'], tls: ['rediss:'], upgrades: false },
  broker: { plain: ['mqtt:'], tls: ['mqtts:'], upgrades: false },
  traces: { plain: ['http:'], tls: ['https:'], upgrades: false },
} as const satisfies Record<PeerKind, object>;

type Kind =
  | { readonly kind: 'secret' }
  | { readonly kind: 'peer'; readonly peer: PeerKind }
  | { readonly kind: 'listener' }
  | { readonly kind: 'authorities'; readonly endpoints: readonly string[] };

/** What is special about a setting. */
const kinds = z.registry<Kind>();

/** A setting that may be given as a file, too: `NAME_FILE` instead of `NAME`. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  kinds.add(schema, { kind: 'secret' });
  return schema;
}

/** The address of a server, with all that belongs to it. The settings beside it are in docs/operate/peers.md. */
export const peer = (kind: PeerKind) =>
  z
    .url()
    .transform((url) => new Peer(url))
    .register(kinds, { kind: 'peer', peer: kind });

/**
 * A file with certificate authorities that are trusted beside the public ones. It is an error where each of `endpoints` that
 * is given is plain HTTP.
 */
export const authorities = (endpoints: readonly string[] = []) =>
  z.array(z.string()).optional().register(kinds, { kind: 'authorities', endpoints });

/** The file of the certificate that our listeners show. LISTEN_KEY_FILE is its key. */
export const listener = () => z.custom<ListenTls>().optional().register(kinds, { kind: 'listener' });

/** Also of a setting that was made optional, or got a default, afterwards. */
function kindOf(field: z.core.$ZodType): Kind | undefined {
  const { def } = field._zod as {
    readonly def: { readonly innerType?: z.core.$ZodType; readonly in?: z.core.$ZodType };
  };
  const inner = def.innerType ?? def.in;
  return kinds.get(field) ?? (inner === undefined ? undefined : kindOf(inner));
}

const shapeOf = (schema: z.ZodType): Readonly<Record<string, z.ZodType>> =>
  schema instanceof z.ZodObject ? schema.shape : {};

/** By the name of a setting: those that complete it, each of which names a file. */
export function namesBeside(schema: z.ZodType): ReadonlyMap<string, readonly string[]> {
  const beside = new Map<string, readonly string[]>();
  for (const [name, field] of Object.entries(shapeOf(schema))) {
    const special = kindOf(field);
    if (special === undefined || special.kind === 'authorities') continue;
    if (special.kind === 'listener') {
      beside.set(name, [LISTEN_KEY]);
      continue;
    }
    const files = [`${name}_FILE`];
    if (special.kind === 'peer') {
      const { prefix } = PEER_NAMES[special.peer];
      // The broker has settings of their own for its user and its password.
      const login = special.peer === 'broker' ? [] : ['USER', 'PASSWORD'];
      files.push(...[...login, 'CA', 'CERT', 'KEY'].map((part) => `${prefix}_${part}_FILE`));
    }
    beside.set(name, files);
  }
  return beside;
}

/** Each name that a schema reads of an environment. */
export const namesRead = (schema: z.ZodType): string[] => [
  ...Object.keys(shapeOf(schema)),
  ...[...namesBeside(schema).values()].flat(),
];

/** What files and neighbouring settings make of an environment. */
export interface ReadFiles {
  /** The environment with the content of files in it. */
  readonly input: Record<string, unknown>;
  readonly problems: readonly FieldProblem[];
  /** Settings whose problem is named already, so that they are not missing as well. */
  readonly told: ReadonlySet<string>;
  /** By the name of the setting that holds its address. */
  readonly tls: ReadonlyMap<string, PeerTls>;
  /** By the name of the setting that names their file. */
  readonly certificates: ReadonlyMap<string, string>;
}

/** Reads the files that settings name. It never throws: what is wrong is told beside all else that is. */
export function readSettingFiles(schema: z.ZodType, env: NodeJS.ProcessEnv): ReadFiles {
  const reading = new Reading(env);
  const tls = new Map<string, PeerTls>();
  for (const [name, field] of Object.entries(shapeOf(schema))) {
    const special = kindOf(field);
    if (special === undefined) continue;
    if (special.kind === 'authorities') reading.readAuthorities(name, special.endpoints);
    else if (special.kind === 'listener') reading.readListener(name);
    else reading.readSecret(name);
    if (special.kind === 'peer') {
      const found = reading.readPeer(name, special.peer);
      if (found !== undefined) tls.set(name, found);
    }
  }
  return {
    input: reading.input,
    problems: reading.problems,
    told: reading.told,
    tls,
    certificates: reading.certificates,
  };
}

class Reading {
  readonly input: Record<string, unknown>;
  readonly problems: FieldProblem[] = [];
  readonly told = new Set<string>();
  readonly certificates = new Map<string, string>();

  constructor(private readonly env: NodeJS.ProcessEnv) {
    this.input = { ...env };
  }

  readSecret(name: string): void {
    const file = this.fileOf(`${name}_FILE`);
    if (file === undefined) return;
    if (this.isGiven(name)) return this.refuse(name, `is given, and ${name}_FILE is too; give one of them`);
    const content = this.read(`${name}_FILE`, file);
    if (content === undefined) this.told.add(name);
    else this.input[name] = content;
  }

  readAuthorities(name: string, endpoints: readonly string[]): void {
    const ca = this.readCertificates(name);
    delete this.input[name];
    if (ca === undefined) return;
    const given = endpoints.filter((endpoint) => this.isGiven(endpoint));
    if (given.length > 0 && given.every((endpoint) => this.env[endpoint]?.startsWith('http:'))) {
      this.refuse(name, `would not be used: ${given.join(', ')} must begin with https://, or take ${name} away`);
    }
    this.input[name] = [...rootCertificates, ca];
  }

  readListener(name: string): void {
    const { cert, key } = this.readPair(name, LISTEN_KEY);
    delete this.input[name];
    if (cert !== undefined && key !== undefined) this.input[name] = { cert, key: new Secret(key) } satisfies ListenTls;
  }

  /** Completes the address by user and password, and returns what its TLS is verified by. */
  readPeer(name: string, kind: PeerKind): PeerTls | undefined {
    const { prefix } = PEER_NAMES[kind];
    const tls = this.readTls(prefix);
    const text = this.input[name];
    if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    const { plain, tls: secure, upgrades } = SCHEMES[kind];
    const allowed: readonly string[] = [...plain, ...secure];
    if (!allowed.includes(url.protocol)) {
      this.refuse(
        name,
        `must begin with ${allowed.map((scheme) => `${scheme}//`).join(' or ')}, not ${url.protocol}//`,
      );
      return undefined;
    }
    const isSecure = (secure as readonly string[]).includes(url.protocol);
    const wantsTls = this.takeSslMode(name, kind, url) || isSecure;
    if (kind === 'broker') {
      if (url.username !== '' || url.password !== '') {
        this.refuse(name, `must not hold a user: ${prefix}_USER and ${prefix}_PASSWORD say it, or files of them`);
      }
    } else this.takeLogin(name, prefix, url);
    this.input[name] = url.href;
    if (tls === undefined) return wantsTls ? {} : undefined;
    if (!upgrades && !isSecure) {
      const files = ['CA', 'CERT', 'KEY'].map((part) => `${prefix}_${part}_FILE`);
      const given = files.find((file) => this.isGiven(file)) ?? name;
      this.refuse(given, `would not be used: ${name} must begin with ${secure[0]}//, not ${url.protocol}//`);
    }
    return tls;
  }

  /**
   * The client takes no parameters of an address, and would leave out in silence what they ask for. The one that is known
   * elsewhere is read here.
   */
  private takeSslMode(name: string, kind: PeerKind, url: URL): boolean {
    if (kind !== 'postgres' || url.search === '') return false;
    const names = [...url.searchParams.keys()];
    const mode = url.searchParams.get('sslmode');
    url.search = '';
    const others = names.filter((parameter) => parameter !== 'sslmode');
    if (others.length > 0) this.refuse(name, `has parameters that are not used: ${others.join(', ')}`);
    if (mode === null || mode === 'disable') return false;
    if (mode !== 'verify-full') {
      this.refuse(name, 'has an sslmode that verifies less than all: it must be verify-full or disable');
    }
    return true;
  }

  private takeLogin(name: string, prefix: string, url: URL): void {
    for (const [part, suffix] of [
      ['username', 'USER'],
      ['password', 'PASSWORD'],
    ] as const) {
      const setting = `${prefix}_${suffix}_FILE`;
      const file = this.fileOf(setting);
      if (file === undefined) continue;
      if (url[part] !== '') {
        this.refuse(setting, `is given, and ${name} holds a ${suffix.toLowerCase()} too; take it out of one of them`);
        continue;
      }
      const content = this.read(setting, file);
      if (content !== undefined) url[part] = encodeURIComponent(content);
    }
  }

  private readTls(prefix: string): PeerTls | undefined {
    const [certName, keyName] = [`${prefix}_CERT_FILE`, `${prefix}_KEY_FILE`];
    const ca = this.readCertificates(`${prefix}_CA_FILE`);
    const { cert, key } = this.readPair(certName, keyName);
    const isGiven = this.fileOf(certName) !== undefined || this.fileOf(keyName) !== undefined;
    if (ca === undefined && !isGiven) return undefined;
    return { ca, cert, key: key === undefined ? undefined : new Secret(key) };
  }

  /** A certificate and its key, which are given together. */
  private readPair(certName: string, keyName: string): { readonly cert?: string; readonly key?: string } {
    const cert = this.readCertificates(certName);
    const keyFile = this.fileOf(keyName);
    const key = keyFile === undefined ? undefined : this.read(keyName, keyFile);
    const [hasCert, hasKey] = [this.fileOf(certName) !== undefined, keyFile !== undefined];
    if (hasCert && !hasKey) this.refuse(keyName, `is required: ${certName} is of no use without its key`);
    if (hasKey && !hasCert) this.refuse(certName, `is required: ${keyName} is of no use without its certificate`);
    if (cert !== undefined && key !== undefined) {
      try {
        createSecureContext({ cert, key });
      } catch {
        this.refuse(keyName, `must be the private key of the certificate in ${certName}, as PEM without a password`);
      }
    }
    return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  }

  private readCertificates(name: string): string | undefined {
    const file = this.fileOf(name);
    const content = file === undefined ? undefined : this.read(name, file);
    if (content === undefined) return undefined;
    try {
      new X509Certificate(content);
      this.certificates.set(name, content);
      return content;
    } catch {
      this.refuse(name, `must hold certificates as PEM, and ${file} does not`);
      return undefined;
    }
  }

  /** An empty setting is one that was not given: that is how Compose files leave one out. */
  private fileOf(name: string): string | undefined {
    return this.isGiven(name) ? this.env[name] : undefined;
  }

  private isGiven(name: string): boolean {
    return this.env[name] !== undefined && this.env[name] !== '';
  }

  /** Says the path and never the content. */
  private read(name: string, file: string): string | undefined {
    const content = contentOf(file);
    if ('text' in content) return content.text;
    this.refuse(name, `cannot be used: ${file} ${content.problem}`);
    return undefined;
  }

  private refuse(field: string, message: string): void {
    this.problems.push({ field, message });
  }
}

function contentOf(file: string): { readonly text: string } | { readonly problem: string } {
  let descriptor: number | undefined;
  try {
    // A pipe would keep us waiting for its other end.
    if (!statSync(file).isFile()) return { problem: 'is no file' };
    descriptor = openSync(file, 'r');
    if (fstatSync(descriptor).size > MAX_FILE_BYTES) return { problem: `is larger than ${MAX_FILE_BYTES} bytes` };
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > MAX_FILE_BYTES) return { problem: `is larger than ${MAX_FILE_BYTES} bytes` };
    const text = buffer.toString('utf8', 0, length).replace(/\r?\n$/, '');
    return text === '' ? { problem: 'is empty' } : { text };
  } catch (error) {
    return { problem: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

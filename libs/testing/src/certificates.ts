// The library of certificates below wants it loaded before itself.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Paths of PEM files. */
export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test. Its files lie in a folder of their own until `remove`. */
export interface Authority {
  /** Path of its certificate. */
  readonly ca: string;
  readonly caPem: string;
  /** A certificate for that host name or address, for servers and clients, with its key. */
  issue(host?: string, days?: number): Promise<IssuedFiles>;
  /** A certificate that nobody else has signed. */
  selfSigned(host?: string): Promise<IssuedFiles>;
  /** Writes any text into a file beside, and returns its path. */
  write(name: string, content: string): string;
  remove(): void;
}

export async function makeAuthority(name = 'spec authority'): Promise<Authority> {
  const directory = mkdtempSync(path.join(tmpdir(), 'aerie-certificates-'));
  const write = (file: string, content: string): string => {
    const at = path.join(directory, file);
    // PostgreSQL refuses a key that others can read.
    writeFileSync(at, content, { mode: 0o600 });
    return at;
  };
  // Typed for browsers; that of Node is the same.
  const provider = webcrypto as never;
  const { subtle } = webcrypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const notBefore = new Date(Date.now() - 2 * DAY_MS);
  const authority = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      serialNumber: '01',
      notBefore,
      notAfter: new Date(Date.now() + DAY_MS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    },
    provider,
  );
  const caPem = authority.toString('pem');
  let issued = 1;
  const alternative = (host: string) =>
    new x509.SubjectAlternativeNameExtension([{ type: /^[\d.]+$/.test(host) ? 'ip' : 'dns', value: host }]);
  const filesOf = async (certificate: x509.X509Certificate, privateKey: webcrypto.CryptoKey): Promise<IssuedFiles> => {
    const pkcs8 = Buffer.from(await subtle.exportKey('pkcs8', privateKey)).toString('base64');
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
    return { cert: write(`${issued}.pem`, `${certificate.toString('pem')}\n`), key: write(`${issued}.key`, key) };
  };
  return {
    ca: write('ca.pem', caPem),
    caPem,
    write,
    async issue(host = '127.0.0.1', days = 1) {
      const number = ++issued;
      const own = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const certificate = await x509.X509CertificateGenerator.create(
        {
          serialNumber: number.toString(16).padStart(2, '0'),
          subject: `CN=${host}`,
          issuer: authority.subject,
          notBefore,
          notAfter: new Date(Date.now() + days * DAY_MS),
          publicKey: own.publicKey,
          signingKey: keys.privateKey,
          signingAlgorithm: ALGORITHM,
          extensions: [alternative(host)],
        },
        provider,
      );
      return filesOf(certificate, own.privateKey);
    },
    async selfSigned(host = '127.0.0.1') {
      issued++;
      const own = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const certificate = await x509.X509CertificateGenerator.createSelfSigned(
        {
          ...{ name: `CN=${host}`, serialNumber: '01', notBefore, notAfter: new Date(Date.now() + DAY_MS) },
          ...{ keys: own, signingAlgorithm: ALGORITHM, extensions: [alternative(host)] },
        },
        provider,
      );
      return filesOf(certificate, own.privateKey);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

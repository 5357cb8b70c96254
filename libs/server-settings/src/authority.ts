// The library of certificates wants it loaded before itself.
import 'reflect-metadata';
import { X509Certificate, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Phones and browsers take none that lives longer. */
const CERTIFICATE_DAYS = 825;
/** A certificate that ends within this time is made anew: two months of starts that may fail. */
const RENEWED_BEFORE_DAYS = 60;
/** The clock of a peer may be behind. */
const EARLIER_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SERIAL_BYTES = 16;
// Typed for browsers; that of Node.js is the same.
const provider = webcrypto as never;

/** PEM, both. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Who a certificate is for. A client needs a name alone; a server is looked up by its hosts. */
export interface Subject {
  readonly name: string;
  readonly hosts?: readonly string[];
}

const validFor = (days: number) => ({
  notBefore: new Date(Date.now() - EARLIER_MS),
  notAfter: new Date(Date.now() + days * DAY_MS),
});

function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  // A number above zero, whatever the first bit is.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

export async function makeAuthority(name: string): Promise<KeyPair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...{ name: `CN=${name}`, serialNumber: newSerial(), ...validFor(AUTHORITY_DAYS) },
      ...{ keys, signingAlgorithm: ALGORITHM },
      extensions: [
        // It signs certificates of servers and clients, and no further authority.
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, provider),
      ],
    },
    provider,
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

/** A certificate that the authority signs. A server gets the hosts as alternative names, and may speak as a client too. */
export async function issue(authority: KeyPair, { name, hosts = [] }: Subject): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const keys = await newKeys();
  const usages = [x509.ExtendedKeyUsage.clientAuth, ...(hosts.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : [])];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...{ subject: `CN=${name}`, issuer: issuer.subject, serialNumber: newSerial(), ...validFor(CERTIFICATE_DAYS) },
      ...{ publicKey: keys.publicKey, signingKey, signingAlgorithm: ALGORITHM },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, provider),
        ...(hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName))] : []),
      ],
    },
    provider,
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

const alternativeName = (value: string): x509.JsonGeneralName =>
  /^[\d.]+$/.test(value) ? { type: 'ip', value } : { type: 'dns', value };

/** Why a certificate has to be made anew. Nothing when it goes on being good. */
export function whyRenew(certificate: string, authority: string, { hosts = [] }: Subject): string | undefined {
  const own = new X509Certificate(certificate);
  const signer = new X509Certificate(authority);
  if (!own.checkIssued(signer) || !own.verify(signer.publicKey)) return 'another authority signed it';
  const missing = hosts.find((host) => own.checkHost(host) === undefined && own.checkIP(host) === undefined);
  if (missing !== undefined) return `it does not name ${missing}`;
  const leftDays = (Date.parse(own.validTo) - Date.now()) / DAY_MS;
  return leftDays < RENEWED_BEFORE_DAYS ? `it ends on ${own.validTo}` : undefined;
}

import { timingSafeEqual } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import type { Clock } from '@aerie/kernel';
import { SignatureV4 } from '@smithy/signature-v4';
import type { CredentialLookup, Credentials } from './credentials.js';
import { S3Error, type S3ErrorCode } from './s3-error.js';
import type { S3Request } from './s3-request.js';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 's3';
/** How far a client's clock may be off. [S3, RequestTimeTooSkewed] */
const MAX_SKEW_MS = 15 * 60_000;
/** A week. [Signature Version 4, X-Amz-Expires] */
const MAX_LIFETIME_SECONDS = 604_800;
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

interface Claim {
  readonly accessKeyId: string;
  readonly scopeDate: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly signedAt: Date;
}

/**
 * Checks that a request was signed with a secret that we know, by making the signature again with the signer of the
 * AWS SDK. What is not covered by the signature is not looked at: all `x-amz-` headers must be signed.
 *
 * @returns what the client says of its payload: a hash, or how it streams.
 */
export class SignatureCheck {
  constructor(
    private readonly lookup: CredentialLookup,
    private readonly region: string,
    private readonly clock: Clock,
  ) {}

  async check(request: S3Request): Promise<string> {
    const { headers, query } = request;
    const header = headers['authorization'];
    const presigned = query.get('X-Amz-Signature') !== undefined || query.get('X-Amz-Algorithm') !== undefined;
    if (header !== undefined && presigned) {
      throw new S3Error('InvalidArgument', 'Only one way of signing is allowed: the header or the query.');
    }
    if (header !== undefined) return this.checkHeader(request, header);
    if (presigned) return this.checkQuery(request);
    throw new S3Error('AccessDenied', 'The request is not signed.');
  }

  private async checkHeader(request: S3Request, header: string): Promise<string> {
    const malformed = 'AuthorizationHeaderMalformed';
    const [, credential, signedHeaders, signature] =
      /^AWS4-HMAC-SHA256 +Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$/.exec(header) ?? [];
    if (credential === undefined || signedHeaders === undefined || signature === undefined) {
      throw new S3Error(malformed, `The Authorization header is no signature by ${ALGORITHM}.`);
    }
    const signedAt = readDate(request.headers['x-amz-date'], malformed);
    const claim = readClaim(credential, signedHeaders, signature, signedAt, malformed);
    this.checkScope(claim, malformed);
    for (const name of ['x-amz-date', 'x-amz-content-sha256']) {
      if (!claim.signedHeaders.includes(name)) throw new S3Error(malformed, `The header ${name} must be signed.`);
    }
    const skewMs = Math.abs(this.clock.nowMs() - signedAt.getTime());
    if (skewMs > MAX_SKEW_MS) {
      throw new S3Error('RequestTimeTooSkewed', 'The difference between the request time and our time is too large.');
    }
    const credentials = await this.credentialsOf(claim, request);
    const signed = await this.signer(credentials).sign(
      { ...this.signable(request), headers: pick(request, claim.signedHeaders), query: queryOf(request) },
      { signingDate: claim.signedAt, signableHeaders: new Set(claim.signedHeaders) },
    );
    compare(signed.headers['authorization']?.split('Signature=')[1], claim.signature);
    return request.headers['x-amz-content-sha256'] ?? UNSIGNED_PAYLOAD;
  }

  private async checkQuery(request: S3Request): Promise<string> {
    const { query } = request;
    const malformed = 'AuthorizationQueryParametersError';
    const read = (name: string): string => {
      const value = query.get(name);
      if (value === undefined || value === '') throw new S3Error(malformed, `The query has no ${name}.`);
      return value;
    };
    if (read('X-Amz-Algorithm') !== ALGORITHM) throw new S3Error(malformed, `X-Amz-Algorithm must be ${ALGORITHM}.`);
    const signature = read('X-Amz-Signature');
    if (!/^[0-9a-f]{64}$/.test(signature)) throw new S3Error(malformed, 'X-Amz-Signature is no signature.');
    const signedAt = readDate(read('X-Amz-Date'), malformed);
    const claim = readClaim(read('X-Amz-Credential'), read('X-Amz-SignedHeaders'), signature, signedAt, malformed);
    this.checkScope(claim, malformed);
    const expires = read('X-Amz-Expires');
    const lifetimeSeconds = /^[1-9][0-9]{0,5}$/.test(expires) ? Number(expires) : 0;
    if (lifetimeSeconds < 1 || lifetimeSeconds > MAX_LIFETIME_SECONDS) {
      throw new S3Error(malformed, `X-Amz-Expires must be 1 to ${MAX_LIFETIME_SECONDS} seconds.`);
    }
    const nowMs = this.clock.nowMs();
    if (nowMs < signedAt.getTime() - MAX_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not yet valid');
    if (nowMs > signedAt.getTime() + lifetimeSeconds * 1_000) throw new S3Error('AccessDenied', 'Request has expired');
    if ((query.get('X-Amz-Content-Sha256') ?? UNSIGNED_PAYLOAD) !== UNSIGNED_PAYLOAD) {
      throw new S3Error('NotImplemented', 'A presigned URL must leave its payload unsigned.');
    }
    const credentials = await this.credentialsOf(claim, request);
    const signed = await this.signer(credentials).presign(
      // The signer takes a body that it cannot read for one that is not signed.
      { ...this.signable(request), headers: pick(request, claim.signedHeaders), query: queryOf(request), body: {} },
      {
        signingDate: claim.signedAt,
        expiresIn: lifetimeSeconds,
        signableHeaders: new Set(claim.signedHeaders),
        unhoistableHeaders: new Set(claim.signedHeaders),
      },
    );
    compare(String(signed.query?.['X-Amz-Signature']), claim.signature);
    return UNSIGNED_PAYLOAD;
  }

  private checkScope({ scopeDate, region, signedAt, signedHeaders }: Claim, malformed: S3ErrorCode): void {
    if (region !== this.region) throw new S3Error(malformed, `The region must be '${this.region}', not '${region}'.`);
    if (signedAt.toISOString().slice(0, 10).replaceAll('-', '') !== scopeDate) {
      throw new S3Error(malformed, 'The credential has another date than the request.');
    }
    if (!signedHeaders.includes('host')) throw new S3Error(malformed, 'The header host must be signed.');
  }

  private async credentialsOf(claim: Claim, request: S3Request): Promise<Credentials> {
    const { headers, query } = request;
    if (headers['x-amz-security-token'] !== undefined || query.get('X-Amz-Security-Token') !== undefined) {
      throw new S3Error('InvalidToken', 'This store gives out no session tokens.');
    }
    const unsigned = Object.keys(headers).find(
      (name) => name.startsWith('x-amz-') && !claim.signedHeaders.includes(name),
    );
    if (unsigned !== undefined) throw new S3Error('AccessDenied', `The header ${unsigned} is not signed.`);
    const credentials = await this.lookup.find(claim.accessKeyId);
    if (credentials !== null) return credentials;
    throw new S3Error('InvalidAccessKeyId', 'The access key does not exist here.');
  }

  private signer({ accessKeyId, secretAccessKey }: Credentials): SignatureV4 {
    return new SignatureV4({
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      region: this.region,
      service: SERVICE,
      sha256: Sha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
  }

  private signable({ method, canonicalPath, headers }: S3Request) {
    return { method, path: canonicalPath, protocol: 'http:', hostname: headers['host'] ?? '' };
  }
}

function readClaim(
  credential: string,
  signedHeaders: string,
  signature: string,
  signedAt: Date,
  malformed: S3ErrorCode,
): Claim {
  const [, accessKeyId, scopeDate, region] = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(credential) ?? [];
  if (accessKeyId === undefined || scopeDate === undefined || region === undefined) {
    throw new S3Error(malformed, 'The credential must be <key>/<date>/<region>/s3/aws4_request.');
  }
  return { accessKeyId, scopeDate, region, signature, signedAt, signedHeaders: signedHeaders.split(';') };
}

function readDate(text: string | undefined, malformed: S3ErrorCode): Date {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  const [, year, month, day, hour, minute, second] = match ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (match !== null && !Number.isNaN(date.getTime())) return date;
  throw new S3Error(malformed, 'The date must be given as X-Amz-Date, e.g. 20260131T120000Z.');
}

/** The signed headers, and no other. */
function pick({ headers }: S3Request, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function queryOf({ query }: S3Request): Record<string, string> {
  return Object.fromEntries(query.entries.filter(([name]) => name.toLowerCase() !== 'x-amz-signature'));
}

function compare(expected: string | undefined, given: string): void {
  const [a, b] = [Buffer.from(expected ?? '', 'hex'), Buffer.from(given, 'hex')];
  if (a.length === 32 && a.length === b.length && timingSafeEqual(a, b)) return;
  throw new S3Error('SignatureDoesNotMatch', 'The signature is not the one that we computed. Check secret and URL.');
}

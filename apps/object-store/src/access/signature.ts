import { createHash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import type { Clock } from '@aerie/kernel';
import { SignatureV4 } from '@smithy/signature-v4';
import { S3Error } from '../s3/s3-error.js';
import type { S3Request } from '../s3/s3-request.js';
import type { Caller } from './caller.js';
import type { ChunkSigning } from './chunk-signatures.js';
import type { Identities, Identity } from './credentials.js';
import { ALGORITHM, type Claim, checkSignature, readClaim } from './signature-claim.js';
import { scopeOf, signText, signingKey } from './signing-key.js';

/** How far a client's clock may be off. [S3, RequestTimeTooSkewed] */
const MAX_SKEW_MS = 15 * 60_000;
/** A week. [Signature Version 4, X-Amz-Expires] */
const MAX_LIFETIME_SECONDS = 604_800;
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface Verified {
  readonly caller: Caller;
  /** What the client says of its payload: a hash, or how it streams. */
  readonly payload: string;
  /** For bodies in signed chunks. */
  readonly chunks?: ChunkSigning;
}

/** The fields of a form upload that its signature is made of. */
export interface SignedPolicy {
  readonly policy: string;
  readonly algorithm: string;
  readonly credential: string;
  readonly date: string;
  readonly signature: string;
  readonly token: string | undefined;
}

/**
 * Checks that a request was signed with a secret that we know, by making the signature again with the signer of the
 * AWS SDK. What is not covered by the signature is not looked at: all `x-amz-` headers must be signed.
 */
export class SignatureCheck {
  constructor(
    private readonly identities: Identities,
    private readonly region: string,
    private readonly clock: Clock,
  ) {}

  async check(request: S3Request): Promise<Verified> {
    const { headers, query } = request;
    const header = headers['authorization'];
    const presigned = query.get('X-Amz-Signature') !== undefined || query.get('X-Amz-Algorithm') !== undefined;
    if (header !== undefined && presigned) {
      throw new S3Error('InvalidArgument', 'Only one way of signing is allowed: the header or the query.');
    }
    if (header !== undefined) return this.checkHeader(request, header, 's3', undefined);
    if (presigned) return this.checkQuery(request);
    throw new S3Error('AccessDenied', 'The request is not signed.');
  }

  /** A form for STS or IAM: its signature covers its body, whether a header says so or not. */
  async checkForm(request: S3Request, service: string, body: string): Promise<Verified> {
    const header = request.headers['authorization'];
    if (header === undefined) throw new S3Error('AccessDenied', 'The request is not signed.');
    const sha256 = createHash('sha256').update(body).digest('hex');
    if ((request.headers['x-amz-content-sha256'] ?? sha256) !== sha256) {
      throw new S3Error('SignatureDoesNotMatch', 'The body is another one than the one that was signed.');
    }
    return this.checkHeader(request, header, service, body);
  }

  /** The policy of a form upload. It is good as long as it says itself. */
  checkPolicy({ policy, algorithm, credential, date, signature, token }: SignedPolicy): Caller {
    if (algorithm !== ALGORITHM) throw new S3Error('AccessDenied', `x-amz-algorithm must be ${ALGORITHM}.`);
    const claim = readClaim({ credential, date, signature }, { region: this.region, service: 's3' }, 'AccessDenied');
    const { caller, credentials } = this.identities.identify(claim.accessKeyId, token);
    checkSignature(signText(signingKey(credentials, claim), policy), signature);
    return caller;
  }

  private async checkHeader(
    request: S3Request,
    header: string,
    service: string,
    /** Undefined: the body is not read yet, and a header says its hash. */
    body: string | undefined,
  ): Promise<Verified> {
    const malformed = 'AuthorizationHeaderMalformed';
    const [, credential, signedHeaders, signature] =
      /^AWS4-HMAC-SHA256 +Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$/.exec(header) ?? [];
    if (credential === undefined || signedHeaders === undefined || signature === undefined) {
      throw new S3Error(malformed, `The Authorization header is no signature by ${ALGORITHM}.`);
    }
    const date = request.headers['x-amz-date'];
    const scope = { region: this.region, service };
    const claim = readClaim({ credential, signedHeaders, signature, date }, scope, malformed);
    for (const name of body === undefined ? ['x-amz-date', 'x-amz-content-sha256'] : ['x-amz-date']) {
      if (!claim.signedHeaders.includes(name)) throw new S3Error(malformed, `The header ${name} must be signed.`);
    }
    const skewMs = Math.abs(this.clock.nowMs() - claim.signedAt.getTime());
    if (skewMs > MAX_SKEW_MS) {
      throw new S3Error('RequestTimeTooSkewed', 'The difference between the request time and our time is too large.');
    }
    const identity = this.identify(claim, request, request.headers['x-amz-security-token']);
    const signed = await this.signer(identity, service).sign(
      {
        ...this.signable(request),
        headers: pick(request, claim.signedHeaders),
        query: queryOf(request),
        ...(body === undefined ? {} : { body }),
      },
      { signingDate: claim.signedAt, signableHeaders: new Set(claim.signedHeaders) },
    );
    checkSignature(signed.headers['authorization']?.split('Signature=')[1], claim.signature);
    return {
      caller: identity.caller,
      payload: request.headers['x-amz-content-sha256'] ?? UNSIGNED_PAYLOAD,
      chunks: {
        key: signingKey(identity.credentials, claim),
        scope: scopeOf(claim),
        date: date ?? '',
        seed: claim.signature,
      },
    };
  }

  private async checkQuery(request: S3Request): Promise<Verified> {
    const { query } = request;
    const malformed = 'AuthorizationQueryParametersError';
    const read = (name: string): string => {
      const value = query.get(name);
      if (value === undefined || value === '') throw new S3Error(malformed, `The query has no ${name}.`);
      return value;
    };
    if (read('X-Amz-Algorithm') !== ALGORITHM) throw new S3Error(malformed, `X-Amz-Algorithm must be ${ALGORITHM}.`);
    const claim = readClaim(
      {
        credential: read('X-Amz-Credential'),
        signature: read('X-Amz-Signature'),
        signedHeaders: read('X-Amz-SignedHeaders'),
        date: read('X-Amz-Date'),
      },
      { region: this.region, service: 's3' },
      malformed,
    );
    const lifetimeSeconds = this.checkLifetime(read('X-Amz-Expires'), claim.signedAt.getTime());
    if ((query.get('X-Amz-Content-Sha256') ?? UNSIGNED_PAYLOAD) !== UNSIGNED_PAYLOAD) {
      throw new S3Error('NotImplemented', 'A presigned URL must leave its payload unsigned.');
    }
    if (request.headers['x-amz-security-token'] !== undefined) {
      throw new S3Error('InvalidToken', 'The session token of a presigned URL stands in its query.');
    }
    const identity = this.identify(claim, request, query.get('X-Amz-Security-Token'));
    const signed = await this.signer(identity, 's3').presign(
      // The signer takes a body that it cannot read for one that is not signed.
      { ...this.signable(request), headers: pick(request, claim.signedHeaders), query: queryOf(request), body: {} },
      {
        signingDate: claim.signedAt,
        expiresIn: lifetimeSeconds,
        signableHeaders: new Set(claim.signedHeaders),
        unhoistableHeaders: new Set(claim.signedHeaders),
      },
    );
    checkSignature(String(signed.query?.['X-Amz-Signature']), claim.signature);
    return { caller: identity.caller, payload: UNSIGNED_PAYLOAD };
  }

  private checkLifetime(expires: string, signedAtMs: number): number {
    const seconds = /^[1-9][0-9]{0,5}$/.test(expires) ? Number(expires) : 0;
    if (seconds < 1 || seconds > MAX_LIFETIME_SECONDS) {
      const message = `X-Amz-Expires must be 1 to ${MAX_LIFETIME_SECONDS} seconds.`;
      throw new S3Error('AuthorizationQueryParametersError', message);
    }
    const nowMs = this.clock.nowMs();
    if (nowMs < signedAtMs - MAX_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not yet valid');
    if (nowMs > signedAtMs + seconds * 1_000) throw new S3Error('AccessDenied', 'Request has expired');
    return seconds;
  }

  private identify(claim: Claim, { headers }: S3Request, token: string | undefined): Identity {
    const unsigned = Object.keys(headers).find(
      (name) => name.startsWith('x-amz-') && !claim.signedHeaders.includes(name),
    );
    if (unsigned !== undefined) throw new S3Error('AccessDenied', `The header ${unsigned} is not signed.`);
    return this.identities.identify(claim.accessKeyId, token);
  }

  private signer({ credentials: { accessKeyId, secretAccessKey } }: Identity, service: string): SignatureV4 {
    return new SignatureV4({
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      region: this.region,
      service,
      sha256: Sha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
  }

  private signable({ method, canonicalPath, headers }: S3Request) {
    return { method, path: canonicalPath, protocol: 'http:', hostname: headers['host'] ?? '' };
  }
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

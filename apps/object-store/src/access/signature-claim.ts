import { timingSafeEqual } from 'node:crypto';
import { S3Error, type S3ErrorCode } from '../s3/s3-error.js';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What a request says of its own signature. */
export interface Claim {
  readonly accessKeyId: string;
  readonly scopeDate: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly signedAt: Date;
}

interface ClaimTexts {
  readonly credential: string;
  readonly signature: string;
  readonly date: string | undefined;
  /** None where the signature is not over headers. */
  readonly signedHeaders?: string;
}

/** What a signature must be for. */
export interface Scope {
  readonly region: string;
  readonly service: string;
}

/** Reads a claim and checks all of it that needs no secret. */
export function readClaim(texts: ClaimTexts, scope: Scope, malformed: S3ErrorCode): Claim {
  const parts = /^(.+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(texts.credential) ?? [];
  const [, accessKeyId, scopeDate, region, service] = parts;
  if (accessKeyId === undefined || scopeDate === undefined || region === undefined || service !== scope.service) {
    throw new S3Error(malformed, `The credential must be <key>/<date>/<region>/${scope.service}/aws4_request.`);
  }
  if (!/^[0-9a-f]{64}$/.test(texts.signature)) throw new S3Error(malformed, 'The signature is none.');
  if (region !== scope.region) {
    const message = `The region '${region}' is wrong; expecting '${scope.region}'`;
    throw new S3Error(malformed, message, { details: { Region: scope.region } });
  }
  const signedAt = readDate(texts.date, malformed);
  if (signedAt.toISOString().slice(0, 10).replaceAll('-', '') !== scopeDate) {
    throw new S3Error(malformed, 'The credential has another date than the request.');
  }
  const signedHeaders = texts.signedHeaders?.split(';') ?? [];
  if (texts.signedHeaders !== undefined && !signedHeaders.includes('host')) {
    throw new S3Error(malformed, 'The header host must be signed.');
  }
  return { accessKeyId, scopeDate, region, service, signature: texts.signature, signedAt, signedHeaders };
}

function readDate(text: string | undefined, malformed: S3ErrorCode): Date {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  const [, year, month, day, hour, minute, second] = match ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (match !== null && !Number.isNaN(date.getTime())) return date;
  throw new S3Error(malformed, 'The date must be given as X-Amz-Date, e.g. 20260131T120000Z.');
}

/** Compares without telling by its time how much was right. */
export function checkSignature(expected: string | undefined, given: string | undefined): void {
  const [a, b] = [Buffer.from(expected ?? '', 'hex'), Buffer.from(given ?? '', 'hex')];
  if (a.length === 32 && a.length === b.length && timingSafeEqual(a, b)) return;
  throw new S3Error('SignatureDoesNotMatch', 'The signature is not the one that we computed. Check secret and URL.');
}

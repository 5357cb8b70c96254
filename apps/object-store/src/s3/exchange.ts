import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorizer, Wish } from '../access/authorizer.js';
import type { Verified } from '../access/signature.js';
import type { DiskStore } from '../storage/disk-store.js';
import type { Description } from '../storage/object-file.js';
import type { UploadStore } from '../storage/upload-store.js';
import { S3Error } from './s3-error.js';
import type { Query, S3Request } from './s3-request.js';

export interface Limits {
  readonly maxObjectBytes: number;
  readonly maxPartBytes: number;
}

/** What operations work with. */
export interface Services {
  readonly store: DiskStore;
  readonly uploads: UploadStore;
  readonly authorizer: Authorizer;
  readonly limits: Limits;
  readonly region: string;
}

/** One request whose signature was good, and the way to answer it. */
export interface Exchange {
  readonly request: S3Request;
  readonly verified: Verified;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

export type Operation = (services: Services, exchange: Exchange) => Promise<void>;

export function demand({ authorizer }: Services, exchange: Exchange, action: Wish['action'], prefix?: string): void {
  const { bucket, key } = exchange.request;
  const more = { ...(key === '' ? {} : { key }), ...(prefix === undefined ? {} : { prefix }) };
  authorizer.demand(exchange.verified.caller, { action, bucket, ...more });
}

/** The pieces of the body. A refusal in the middle must not cut the connection: the client is to read why. */
export const bodyOf = ({ incoming }: Exchange): AsyncIterable<Buffer> =>
  incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;

/** A parameter that is not known may ask for something else than we do, so it is refused. */
export function allowParameters({ names }: Query, known: readonly string[]): void {
  const unknown = names.find((name) => name !== 'x-id' && !name.startsWith('x-amz-') && !known.includes(name));
  if (unknown !== undefined) throw new S3Error('NotImplemented', `The parameter ${unknown} is not supported.`);
}

/** The objects of a request that says `If-None-Match: *`: there must be none. */
export function readOnlyIfAbsent({ headers }: S3Request): boolean {
  if (headers['if-match'] !== undefined) throw new S3Error('NotImplemented', 'Writing with If-Match is not supported.');
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', 'Writing with If-None-Match is supported for * only.');
  }
  return ifNoneMatch === '*';
}

const DEFAULT_TYPE = 'application/octet-stream';
const META = 'x-amz-meta-';
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** [S3, user-defined metadata] */
const MAX_METADATA_BYTES = 2_048;

/** What headers, or the fields of a form, say of an object. */
export function descriptionOf(members: Iterable<readonly [string, string | undefined]>): Description {
  const told = new Map(members);
  const metadata = Object.fromEntries(
    [...told].flatMap(([name, value]) =>
      name.startsWith(META) && value !== undefined ? [[name.slice(META.length), value]] : [],
    ),
  );
  const bytes = Object.entries(metadata)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MAX_METADATA_BYTES)
    throw new S3Error('MetadataTooLarge', `Metadata have at most ${MAX_METADATA_BYTES} bytes.`);
  // What cannot be sent back as a header would make the object unreadable.
  const wrong = Object.entries(metadata).find(([name, value]) => !HEADER_NAME.test(name) || !HEADER_VALUE.test(value));
  if (wrong !== undefined) throw new S3Error('InvalidArgument', `${META}${wrong[0]} is no header.`);
  return { contentType: (told.get('content-type') ?? DEFAULT_TYPE).slice(0, 200), metadata };
}

/** A number between 0 and `most`; more is taken for `most`. */
export function readCount(query: Query, name: string, most: number): number {
  const text = query.get(name);
  if (text === undefined) return most;
  if (!/^\d{1,9}$/.test(text)) throw new S3Error('InvalidArgument', `${name} is no number.`);
  return Math.min(most, Number(text));
}

export function sendXml(response: ServerResponse, status: number, text: string, withoutBody = false): void {
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(text) });
  response.end(withoutBody ? undefined : text);
}

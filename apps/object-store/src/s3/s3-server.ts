import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { errorChain } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DiskStore, ObjectExistsError, type ObjectRecord } from '../storage/disk-store.js';
import { MAX_KEY_BYTES } from '../storage/object-key.js';
import { listObjects } from './list-objects.js';
import { type Range, readRange } from './range.js';
import { readBody } from './read-body.js';
import { S3Error, type S3ErrorCode } from './s3-error.js';
import { type S3Request, readRequest } from './s3-request.js';
import type { SignatureCheck } from './signature.js';

export interface S3ServerOptions {
  readonly store: DiskStore;
  readonly signatures: SignatureCheck;
  readonly logger: Logger;
  /** Told of each request that has ended. */
  readonly observe: (method: string, status: number) => void;
}

const DEFAULT_TYPE = 'application/octet-stream';
/** How much of a body that nobody wants is read, so that its sender gets to read our answer. */
const MAX_DRAINED_BYTES = 1024 * 1024;
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The verbs of S3 that Aerie needs, path style: PUT, GET, HEAD and DELETE of an object, HEAD and list of a bucket.
 * Everything else is refused with NotImplemented rather than done by halves.
 */
export class S3Server {
  constructor(private readonly options: S3ServerOptions) {}

  /** Answers one request. Never rejects. */
  async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logger, observe } = this.options;
    const requestId = randomUUID();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // The query is no part of it: it may hold a signature.
    const path = (incoming.url ?? '/').split('?')[0] ?? '/';
    const method = incoming.method ?? 'GET';
    try {
      const request = readRequest(incoming);
      const payload = await this.options.signatures.check(request);
      await this.answer(request, payload, incoming, response);
    } catch (error) {
      const refusal = asS3Error(error);
      if (refusal.code === 'InternalError') logger.error({ err: error, method, path, requestId }, 'a request failed');
      refuse(incoming, response, refusal, path, requestId);
    }
    logger.debug({ method, path, status: response.statusCode, requestId }, 'answered');
    observe(method, response.statusCode);
  }

  private async answer(
    request: S3Request,
    payload: string,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method, bucket, key, query } = request;
    const { store } = this.options;
    if (bucket === '') throw new S3Error('NotImplemented', 'Buckets cannot be listed.');
    if (!store.hasBucket(bucket)) throw new S3Error('NoSuchBucket', 'The bucket does not exist.');
    if (key === '') {
      if (method === 'HEAD') return void response.writeHead(200).end();
      if (method !== 'GET') throw new S3Error('NotImplemented', 'Buckets are made by the configuration only.');
      return sendXml(response, 200, listObjects(store, bucket, query));
    }
    checkKey(key);
    checkSubresources(request);
    switch (method) {
      case 'PUT':
        return this.put(request, payload, incoming, response);
      case 'GET':
      case 'HEAD':
        return this.get(request, response);
      case 'DELETE':
        await store.delete(bucket, key);
        return void response.writeHead(204).end();
      case 'POST':
        throw new S3Error('NotImplemented', 'Uploads by POST and in parts are not supported.');
      default:
        throw new S3Error('MethodNotAllowed', 'The method is not allowed for an object.');
    }
  }

  private async put(
    request: S3Request,
    payload: string,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { bucket, key, headers } = request;
    if (headers['x-amz-copy-source'] !== undefined) throw new S3Error('NotImplemented', 'Copies are not supported.');
    if (headers['if-match'] !== undefined) throw new S3Error('NotImplemented', 'PUT with If-Match is not supported.');
    const ifNoneMatch = headers['if-none-match'];
    if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
      throw new S3Error('NotImplemented', 'PUT with If-None-Match is supported for * only.');
    }
    // A refusal in the middle must not cut the connection: the client is to read why.
    const body = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    const { md5 } = await this.options.store.put(bucket, key, readBody(request, payload, body), {
      contentType: (headers['content-type'] ?? DEFAULT_TYPE).slice(0, 200),
      onlyIfAbsent: ifNoneMatch === '*',
    });
    response.writeHead(200, { ETag: `"${md5}"`, 'Content-Length': 0 }).end();
  }

  private async get(request: S3Request, response: ServerResponse): Promise<void> {
    const { method, bucket, key, headers } = request;
    const object = await this.options.store.open(bucket, key);
    if (object === null) throw new S3Error('NoSuchKey', 'The object does not exist.');
    try {
      const etag = `"${object.md5}"`;
      if (headers['if-match'] !== undefined && !matches(headers['if-match'], etag)) {
        throw new S3Error('PreconditionFailed', 'The object is another one.');
      }
      if (headers['if-none-match'] !== undefined && matches(headers['if-none-match'], etag)) {
        return void response.writeHead(304, { ETag: etag }).end();
      }
      const range = readRange(headers['range'], object.sizeBytes);
      response.writeHead(range === undefined ? 200 : 206, answerHeaders(request, object, etag, range));
      if (method === 'HEAD') return void response.end();
      const start = range?.start ?? 0;
      const end = range?.end ?? object.sizeBytes - 1;
      if (end < start) return void response.end();
      await pipeline(object.file.createReadStream({ start, end, autoClose: false }), response);
    } finally {
      await object.file.close();
    }
  }
}

function answerHeaders({ query }: S3Request, object: ObjectRecord, etag: string, range: Range | undefined) {
  // A presigned URL may say under which name and type a browser keeps the object.
  const disposition = query.get('response-content-disposition');
  const contentType = query.get('response-content-type') ?? object.contentType;
  if (CONTROL.test(`${contentType}${disposition ?? ''}`))
    throw new S3Error('InvalidArgument', 'A header is not valid.');
  return {
    'Accept-Ranges': 'bytes',
    'Content-Length': range === undefined ? object.sizeBytes : range.end - range.start + 1,
    'Content-Type': contentType,
    ETag: etag,
    'Last-Modified': new Date(object.modifiedAt).toUTCString(),
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${object.sizeBytes}` }),
    ...(disposition === undefined ? {} : { 'Content-Disposition': disposition }),
  };
}

function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error('KeyTooLongError', 'The key is too long.');
  if (CONTROL.test(key)) throw new S3Error('InvalidArgument', 'The key has a control character.');
  // Harmless here, as keys are no paths; but no honest program makes such a key, and others unpack by them.
  if (key.split('/').some((part) => part === '.' || part === '..')) {
    throw new S3Error('InvalidArgument', 'The key has a part that climbs.');
  }
}

const KNOWN_PARAMETER = /^(x-id$|x-amz-|response-content-(type|disposition)$)/;

function checkSubresources({ query }: S3Request): void {
  const unknown = query.names.find((name) => !KNOWN_PARAMETER.test(name));
  if (unknown !== undefined) throw new S3Error('NotImplemented', `The parameter ${unknown} is not supported.`);
}

const matches = (header: string, etag: string): boolean =>
  header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);

function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectExistsError) return new S3Error('PreconditionFailed', 'There is such an object already.');
  // The client went away; nobody reads the answer.
  const code: S3ErrorCode = /aborted|premature close|ECONNRESET/i.test(errorChain(error))
    ? 'IncompleteBody'
    : 'InternalError';
  return new S3Error(code, code === 'IncompleteBody' ? 'The body ended early.' : 'We failed.', { cause: error });
}

function refuse(
  incoming: IncomingMessage,
  response: ServerResponse,
  refusal: S3Error,
  resource: string,
  requestId: string,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!incoming.complete) {
    response.setHeader('Connection', 'close');
    let drained = 0;
    incoming.on('error', () => undefined);
    incoming.on('data', (piece: Buffer) => {
      drained += piece.length;
      if (drained > MAX_DRAINED_BYTES) incoming.destroy();
    });
  }
  sendXml(response, refusal.status, refusal.toXml(resource, requestId), incoming.method === 'HEAD');
}

function sendXml(response: ServerResponse, status: number, text: string, withoutBody = false): void {
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(text) });
  response.end(withoutBody ? undefined : text);
}

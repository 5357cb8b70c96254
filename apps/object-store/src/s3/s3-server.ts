import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, errorChain } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import type { SignatureCheck } from '../access/signature.js';
import { ObjectExistsError } from '../storage/disk-store.js';
import { TooManyUploadsError, UploadBusyError, UploadGoneError } from '../storage/upload-store.js';
import type { FormServer } from '../sts/form-server.js';
import type { Cors } from './cors.js';
import { type Services, sendXml } from './exchange.js';
import { checkKey } from './key.js';
import { FormUpload } from './operations/form-upload.js';
import { routeOf } from './route.js';
import { S3Error, type S3ErrorCode } from './s3-error.js';
import { readRequest } from './s3-request.js';

export interface S3ServerOptions {
  readonly services: Services;
  readonly signatures: SignatureCheck;
  readonly formUpload: FormUpload;
  /** STS and IAM, at `POST /`. */
  readonly forms: FormServer;
  readonly cors: Cors;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each request that has ended. */
  readonly observe: (method: string, status: number) => void;
}

/** How much of a body that nobody wants is read, so that its sender gets to read our answer. */
const MAX_DRAINED_BYTES = 1024 * 1024;

/**
 * The verbs of S3 that Aerie needs, path style; `route.ts` lists them. Everything else is refused with NotImplemented
 * rather than done by halves.
 */
export class S3Server {
  constructor(private readonly options: S3ServerOptions) {}

  /** Answers one request. Never rejects. */
  async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logger, observe, cors, clock } = this.options;
    const requestId = randomUUID();
    response.setHeader('x-amz-request-id', requestId);
    // The clock that signatures are held against: clients set theirs by it.
    response.setHeader('Date', new Date(clock.nowMs()).toUTCString());
    response.setHeader('X-Content-Type-Options', 'nosniff');
    cors.mark(incoming, response);
    // The query is no part of it: it may hold a signature.
    const path = (incoming.url ?? '/').split('?')[0] ?? '/';
    const method = incoming.method ?? 'GET';
    try {
      await this.answer(incoming, response, requestId);
    } catch (error) {
      const refusal = asS3Error(error);
      if (refusal.code === 'InternalError') logger.error({ err: error, method, path, requestId }, 'a request failed');
      refuse(incoming, response, refusal, path, requestId);
    }
    logger.debug({ method, path, status: response.statusCode, requestId }, 'answered');
    observe(method, response.statusCode);
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const { services, signatures, forms, formUpload, cors } = this.options;
    if (incoming.method === 'OPTIONS') return cors.preflight(incoming, response);
    const request = readRequest(incoming);
    const { method, bucket, key } = request;
    if (method === 'POST' && bucket === '' && key === '') return forms.handle(request, incoming, response, requestId);
    const isForm = FormUpload.isForm(request);
    const verified = isForm ? undefined : await signatures.check(request);
    if (bucket === '') throw new S3Error('NotImplemented', 'Buckets cannot be listed.');
    if (!services.store.hasBucket(bucket)) throw new S3Error('NoSuchBucket', 'The bucket does not exist.');
    if (verified === undefined) return formUpload.handle(request, incoming, response);
    if (key !== '') checkKey(key);
    return routeOf(request)(services, { request, verified, incoming, response });
  }
}

function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectExistsError) return new S3Error('PreconditionFailed', 'There is such an object already.');
  if (error instanceof TooManyUploadsError) return new S3Error('SlowDown', 'There are too many open uploads.');
  if (error instanceof UploadBusyError) return new S3Error('OperationAborted', 'The upload is just being completed.');
  if (error instanceof UploadGoneError) return new S3Error('NoSuchUpload', 'The upload has ended meanwhile.');
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

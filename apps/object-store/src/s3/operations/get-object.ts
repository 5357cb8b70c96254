import { pipeline } from 'node:stream/promises';
import type { ObjectRecord } from '../../storage/object-file.js';
import { type Exchange, type Operation, type Services, allowParameters, demand } from '../exchange.js';
import { CONTROL } from '../key.js';
import { type Range, readRange } from '../range.js';
import { S3Error } from '../s3-error.js';
import type { S3Request } from '../s3-request.js';

/** GET and HEAD. */
export const getObject: Operation = async (services, exchange) => {
  const { request, response } = exchange;
  const { method, bucket, key, headers } = request;
  demand(services, exchange, 's3:GetObject');
  allowParameters(request.query, ['response-content-type', 'response-content-disposition']);
  const object = await services.store.open(bucket, key);
  if (object === null) throw missing(services, exchange);
  try {
    const etag = `"${object.etag}"`;
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
};

/** Only who may list this very key is told that it is not there. [S3, GetObject] */
function missing({ authorizer }: Services, { request: { bucket, key }, verified }: Exchange): S3Error {
  return authorizer.isAllowed(verified.caller, { action: 's3:ListBucket', bucket, prefix: key })
    ? new S3Error('NoSuchKey', 'The object does not exist.')
    : new S3Error('AccessDenied', 'There is no such object, or it is not for these credentials.');
}

function answerHeaders({ query }: S3Request, object: ObjectRecord, etag: string, range: Range | undefined) {
  // A presigned URL may say under which name and type a browser keeps the object.
  const disposition = query.get('response-content-disposition');
  const contentType = query.get('response-content-type') ?? object.contentType;
  if (CONTROL.test(`${contentType}${disposition ?? ''}`)) {
    throw new S3Error('InvalidArgument', 'A header is not valid.');
  }
  return {
    'Accept-Ranges': 'bytes',
    'Content-Length': range === undefined ? object.sizeBytes : range.end - range.start + 1,
    'Content-Type': contentType,
    ETag: etag,
    ...Object.fromEntries(Object.entries(object.metadata ?? {}).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    'Last-Modified': new Date(object.modifiedAt).toUTCString(),
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${object.sizeBytes}` }),
    ...(disposition === undefined ? {} : { 'Content-Disposition': disposition }),
  };
}

const matches = (header: string, etag: string): boolean =>
  header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);

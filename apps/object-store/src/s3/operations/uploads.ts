import type { Part, Upload } from '../../storage/upload-store.js';
import {
  type Exchange,
  type Operation,
  type Services,
  allowParameters,
  bodyOf,
  demand,
  descriptionOf,
  readCount,
  sendXml,
} from '../exchange.js';
import { readBody } from '../read-body.js';
import { S3Error } from '../s3-error.js';
import { encode } from '../s3-request.js';
import { elements, xml } from '../xml.js';

/** [S3, limits of uploads in parts] */
export const MAX_PARTS = 10_000;
const MAX_LISTED = 1_000;

export const createUpload: Operation = async (services, exchange) => {
  const { bucket, key, headers, query } = exchange.request;
  demand(services, exchange, 's3:PutObject');
  allowParameters(query, ['uploads']);
  const { id } = await services.uploads.create({ bucket, key, ...descriptionOf(Object.entries(headers)) });
  const answer = elements({ Bucket: bucket, Key: key, UploadId: id });
  sendXml(exchange.response, 200, xml('InitiateMultipartUploadResult', answer));
};

export const uploadPart: Operation = async (services, exchange) => {
  const { request, verified, response } = exchange;
  const { headers, query } = request;
  demand(services, exchange, 's3:PutObject');
  allowParameters(query, ['uploadid', 'partnumber']);
  if (headers['x-amz-copy-source'] !== undefined) throw new S3Error('NotImplemented', 'Copies are not supported.');
  const text = query.get('partNumber') ?? '';
  const number = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PARTS) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`);
  }
  const upload = uploadOf(services, exchange);
  const { maxObjectBytes, maxPartBytes } = services.limits;
  const content = readBody(request, verified, bodyOf(exchange), Math.min(maxObjectBytes, maxPartBytes));
  const { etag } = await services.uploads.putPart(upload, number, content);
  response.writeHead(200, { ETag: `"${etag}"`, 'Content-Length': 0 }).end();
};

export const listParts: Operation = async (services, exchange) => {
  const { bucket, key, query } = exchange.request;
  demand(services, exchange, 's3:ListMultipartUploadParts');
  allowParameters(query, ['uploadid', 'max-parts', 'part-number-marker']);
  const upload = uploadOf(services, exchange);
  const limit = readCount(query, 'max-parts', MAX_LISTED);
  const marker = query.get('part-number-marker') === undefined ? 0 : readCount(query, 'part-number-marker', MAX_PARTS);
  const found = services.uploads.partsOf(upload).filter(({ number }) => number > marker);
  const shown = found.slice(0, limit);
  const head = elements({
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    StorageClass: 'STANDARD',
    PartNumberMarker: marker,
    NextPartNumberMarker: shown.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: found.length > shown.length && limit > 0,
  });
  sendXml(exchange.response, 200, xml('ListPartsResult', head + shown.map(partXml).join('')));
};

export const listUploads: Operation = async (services, exchange) => {
  const { bucket, query } = exchange.request;
  const prefix = query.get('prefix') ?? '';
  demand(services, exchange, 's3:ListBucketMultipartUploads', prefix);
  // There are never more open uploads than one page holds, so there are no markers.
  allowParameters(query, ['uploads', 'prefix', 'max-uploads', 'encoding-type']);
  const limit = readCount(query, 'max-uploads', MAX_LISTED);
  const inUrls = query.get('encoding-type') === 'url';
  const show = (text: string): string => (inUrls ? encode(text).replaceAll('%2F', '/') : text);
  const found = services.uploads.list(bucket, prefix);
  if (found.length > limit) throw new S3Error('NotImplemented', 'Uploads are listed on one page only.');
  const head = elements({
    Bucket: bucket,
    Prefix: show(prefix),
    ...(inUrls ? { EncodingType: 'url' } : {}),
    MaxUploads: limit,
    IsTruncated: false,
  });
  const uploads = found.map(({ id, key, initiatedAt }) => {
    const parts = elements({ Key: show(key), UploadId: id, Initiated: initiatedAt, StorageClass: 'STANDARD' });
    return `<Upload>${parts}</Upload>`;
  });
  sendXml(exchange.response, 200, xml('ListMultipartUploadsResult', head + uploads.join('')));
};

export const abortUpload: Operation = async (services, exchange) => {
  demand(services, exchange, 's3:AbortMultipartUpload');
  allowParameters(exchange.request.query, ['uploadid']);
  await services.uploads.abort(uploadOf(services, exchange));
  exchange.response.writeHead(204).end();
};

/** The upload of the request, if it is one of this very key: the right to one key is none to another's upload. */
export function uploadOf({ uploads }: Services, { request: { bucket, key, query } }: Exchange): Upload {
  const upload = uploads.find(bucket, key, query.get('uploadId') ?? '');
  if (upload !== null) return upload;
  throw new S3Error('NoSuchUpload', 'The upload does not exist. It may have been aborted or completed.');
}

const partXml = ({ number, modifiedAt, etag, sizeBytes }: Part): string =>
  `<Part>${elements({ PartNumber: number, LastModified: modifiedAt, ETag: `"${etag}"`, Size: sizeBytes })}</Part>`;

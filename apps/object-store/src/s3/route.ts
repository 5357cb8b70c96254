import type { Operation } from './exchange.js';
import { getBucketLocation, headBucket, listBucket } from './operations/bucket.js';
import { completeUpload } from './operations/complete-upload.js';
import { deleteObject, deleteObjects } from './operations/delete-objects.js';
import { getObject } from './operations/get-object.js';
import { putObject } from './operations/put-object.js';
import { abortUpload, createUpload, listParts, listUploads, uploadPart } from './operations/uploads.js';
import { S3Error } from './s3-error.js';
import type { S3Request } from './s3-request.js';

interface Row {
  readonly method: string;
  readonly of: 'bucket' | 'object';
  /** The parameter in the query that makes it this operation. */
  readonly by?: string;
  readonly operation: Operation;
}

/** The first row that fits. Each operation refuses parameters that it does not know. */
const ROUTES: readonly Row[] = [
  { method: 'HEAD', of: 'bucket', operation: headBucket },
  { method: 'GET', of: 'bucket', by: 'location', operation: getBucketLocation },
  { method: 'GET', of: 'bucket', by: 'uploads', operation: listUploads },
  { method: 'GET', of: 'bucket', operation: listBucket },
  { method: 'POST', of: 'bucket', by: 'delete', operation: deleteObjects },
  { method: 'POST', of: 'object', by: 'uploads', operation: createUpload },
  { method: 'POST', of: 'object', by: 'uploadId', operation: completeUpload },
  { method: 'PUT', of: 'object', by: 'uploadId', operation: uploadPart },
  { method: 'PUT', of: 'object', operation: putObject },
  { method: 'GET', of: 'object', by: 'uploadId', operation: listParts },
  { method: 'GET', of: 'object', operation: getObject },
  { method: 'HEAD', of: 'object', operation: getObject },
  { method: 'DELETE', of: 'object', by: 'uploadId', operation: abortUpload },
  { method: 'DELETE', of: 'object', operation: deleteObject },
];

export function routeOf({ method, key, query }: S3Request): Operation {
  const of = key === '' ? 'bucket' : 'object';
  const row = ROUTES.find(
    (one) => one.method === method && one.of === of && (one.by === undefined || query.get(one.by) !== undefined),
  );
  if (row !== undefined) return row.operation;
  if (!['GET', 'HEAD', 'PUT', 'POST', 'DELETE'].includes(method)) {
    throw new S3Error('MethodNotAllowed', 'The method is not allowed.');
  }
  throw new S3Error('NotImplemented', `${method} of this ${of} is not supported.`);
}

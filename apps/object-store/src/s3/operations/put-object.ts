import { type Operation, allowParameters, bodyOf, descriptionOf, demand, readOnlyIfAbsent } from '../exchange.js';
import { readBody } from '../read-body.js';
import { S3Error } from '../s3-error.js';

export const putObject: Operation = async (services, exchange) => {
  const { request, verified, response } = exchange;
  const { bucket, key, headers, query } = request;
  demand(services, exchange, 's3:PutObject');
  allowParameters(query, []);
  if (headers['x-amz-copy-source'] !== undefined) throw new S3Error('NotImplemented', 'Copies are not supported.');
  const { maxObjectBytes, maxPartBytes } = services.limits;
  const content = readBody(request, verified, bodyOf(exchange), Math.min(maxObjectBytes, maxPartBytes));
  const { etag } = await services.store.put(bucket, key, content, {
    ...descriptionOf(Object.entries(headers)),
    onlyIfAbsent: readOnlyIfAbsent(request),
  });
  response.writeHead(200, { ETag: `"${etag}"`, 'Content-Length': 0 }).end();
};

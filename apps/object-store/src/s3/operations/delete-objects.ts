import { type Exchange, type Operation, type Services, allowParameters, bodyOf, demand, sendXml } from '../exchange.js';
import { checkKey } from '../key.js';
import { readWholeBody } from '../read-body.js';
import { readXmlList } from '../read-xml.js';
import { S3Error } from '../s3-error.js';
import { elements, xml } from '../xml.js';

/** [S3, DeleteObjects] */
const MAX_KEYS = 1_000;
/** So many of the longest keys, escaped. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export const deleteObject: Operation = async (services, exchange) => {
  const { request, response } = exchange;
  demand(services, exchange, 's3:DeleteObject');
  allowParameters(request.query, []);
  await services.store.delete(request.bucket, request.key);
  response.writeHead(204).end();
};

/** Each key by itself: what one may not delete does not keep the others. */
export const deleteObjects: Operation = async (services, exchange) => {
  const { request, verified, response } = exchange;
  allowParameters(request.query, ['delete']);
  const text = await readWholeBody(request, verified, bodyOf(exchange), MAX_BODY_BYTES);
  const { fields, items } = readXmlList(text, 'Delete', 'Object', MAX_KEYS);
  const quiet = fields['Quiet'] === 'true';
  const results: string[] = [];
  for (const item of items) {
    const key = item['Key'] ?? '';
    try {
      await deleteOne(services, exchange, item, key);
      if (!quiet) results.push(`<Deleted>${elements({ Key: key })}</Deleted>`);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      results.push(`<Error>${elements({ Key: key, Code: error.code, Message: error.message })}</Error>`);
    }
  }
  sendXml(response, 200, xml('DeleteResult', results.join('')));
};

async function deleteOne(
  { authorizer, store }: Services,
  { request: { bucket }, verified }: Exchange,
  item: Readonly<Record<string, string>>,
  key: string,
): Promise<void> {
  // A version or a condition, which would be passed over.
  const unknown = Object.keys(item).find((name) => name !== 'Key');
  if (unknown !== undefined) throw new S3Error('NotImplemented', `Deleting by ${unknown} is not supported.`);
  if (key === '') throw new S3Error('MalformedXML', 'An object has no key.');
  authorizer.demand(verified.caller, { action: 's3:DeleteObject', bucket, key });
  checkKey(key);
  await store.delete(bucket, key);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Clock } from '@aerie/kernel';
import busboy from 'busboy';
import type { SignatureCheck } from '../../access/signature.js';
import type { ObjectRecord } from '../../storage/object-file.js';
import { type Services, descriptionOf, sendXml } from '../exchange.js';
import { checkKey } from '../key.js';
import { type PostPolicy, checkPostPolicy, readPostPolicy } from '../post-policy.js';
import { S3Error } from '../s3-error.js';
import { type S3Request, encode } from '../s3-request.js';
import { elements, xml } from '../xml.js';

const LIMITS = { fields: 50, fieldNameSize: 200, fieldSize: 20 * 1024, files: 1, headerPairs: 20 };
/** Fields that mean something else than we do; they would be passed over. */
const UNSUPPORTED = ['redirect', 'success_action_redirect', 'x-amz-tagging', 'tagging'];

interface Stored {
  readonly record: ObjectRecord;
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * An upload by the form of a browser: its fields hold a policy and the signature of that, and the file comes last. All
 * is checked before the first byte of the file is stored, but for its size, which ends the upload when it is wrong.
 */
export class FormUpload {
  constructor(
    private readonly services: Services,
    private readonly signatures: SignatureCheck,
    private readonly clock: Clock,
  ) {}

  static isForm({ method, key, query, headers }: S3Request): boolean {
    const isForm = headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true;
    return method === 'POST' && key === '' && query.names.length === 0 && isForm;
  }

  async handle(request: S3Request, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers['authorization'] !== undefined) {
      throw new S3Error('InvalidArgument', 'A form is signed by its policy, not by a header.');
    }
    const { record, fields } = await this.receive(request.bucket, incoming);
    const path = `/${[request.bucket, ...record.key.split('/')].map(encode).join('/')}`;
    const location = `http://${request.headers['host'] ?? ''}${path}`;
    response.setHeader('ETag', `"${record.etag}"`);
    response.setHeader('Location', location);
    const status = fields.get('success_action_status');
    if (status !== '201') return void response.writeHead(status === '200' ? 200 : 204).end();
    const answer = { Location: location, Bucket: request.bucket, Key: record.key, ETag: `"${record.etag}"` };
    sendXml(response, 201, xml('PostResponse', elements(answer)));
  }

  private async receive(bucket: string, incoming: IncomingMessage): Promise<Stored> {
    const fields = new Map<string, string>([['bucket', bucket]]);
    const form = openForm(incoming);
    let stored: Promise<Stored> | undefined;
    form.on('field', (name, value, { nameTruncated, valueTruncated }) => {
      const lower = name.toLowerCase();
      // What comes after the file is not looked at. [S3, POST object]
      if (stored !== undefined) return;
      const isTwice = fields.has(lower) && (lower !== 'bucket' || value !== bucket);
      if (isTwice || nameTruncated || valueTruncated) {
        form.destroy(
          new S3Error('MalformedPOSTRequest', `The field ${lower.slice(0, 50)} comes twice or is too long.`),
        );
      } else {
        fields.set(lower, value);
      }
    });
    form.on('fieldsLimit', () => form.destroy(new S3Error('MalformedPOSTRequest', 'The form has too many fields.')));
    form.on('file', (name, file, { filename }) => {
      // The form tells it. Where the refusal comes first, nobody else listens to the file that ends with it.
      file.on('error', () => undefined);
      stored = this.store(bucket, fields, name, file, filename ?? '');
      // The refusal ends the reading of the form too. Its sender is answered below.
      stored.catch((error: Error) => form.destroy(error));
    });
    // The socket stays open for the answer.
    const body = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    try {
      await pipeline(body, form);
    } catch (error) {
      // First whatever is being stored must be cleared away.
      await stored?.catch(() => undefined);
      throw asRefusal(error);
    }
    if (stored === undefined)
      throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.');
    return stored;
  }

  private async store(
    bucket: string,
    fields: Map<string, string>,
    name: string,
    file: Readable,
    filename: string,
  ): Promise<Stored> {
    const field = (wanted: string): string => fields.get(wanted) ?? '';
    if (name !== 'file') throw new S3Error('InvalidArgument', 'The file must be in the field named file.');
    const unsupported = UNSUPPORTED.find((wanted) => fields.has(wanted));
    if (unsupported !== undefined) throw new S3Error('NotImplemented', `The field ${unsupported} is not supported.`);
    if (field('policy') === '') throw new S3Error('AccessDenied', 'The form has no policy.');
    const caller = this.signatures.checkPolicy({
      policy: field('policy'),
      algorithm: field('x-amz-algorithm'),
      credential: field('x-amz-credential'),
      date: field('x-amz-date'),
      signature: field('x-amz-signature'),
      token: fields.get('x-amz-security-token'),
    });
    const policy = readPostPolicy(field('policy'));
    const key = field('key').replaceAll('${filename}', () => filename);
    // The policy is about the key as it will be.
    checkPostPolicy(policy, new Map(fields).set('key', key), this.clock.nowMs());
    if (key === '') throw new S3Error('InvalidArgument', 'The form has no key.');
    checkKey(key);
    this.services.authorizer.demand(caller, { action: 's3:PutObject', bucket, key });
    const { maxObjectBytes, maxPartBytes } = this.services.limits;
    const content = sized(file, policy, Math.min(maxObjectBytes, maxPartBytes));
    const record = await this.services.store.put(bucket, key, content, {
      ...descriptionOf(fields),
      onlyIfAbsent: false,
    });
    return { record, fields };
  }
}

function openForm(incoming: IncomingMessage) {
  try {
    return busboy({ headers: incoming.headers, limits: { ...LIMITS, fileSize: Infinity } });
  } catch (error) {
    throw new S3Error('MalformedPOSTRequest', 'The form cannot be read.', { cause: error });
  }
}

async function* sized(file: Readable, { minBytes, maxBytes }: PostPolicy, limit: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of file as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > Math.min(maxBytes, limit)) throw new S3Error('EntityTooLarge', 'The file is larger than it may be.');
    yield piece;
  }
  if (bytes < minBytes) throw new S3Error('EntityTooSmall', 'The file is smaller than it may be.');
}

function asRefusal(error: unknown): unknown {
  // Of the form's parser, which has no classes for its errors.
  const isMalformed = error instanceof Error && /Unexpected end of form|Malformed part header/.test(error.message);
  return isMalformed ? new S3Error('MalformedPOSTRequest', 'The form is cut off.', { cause: error }) : error;
}

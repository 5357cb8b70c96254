import type { IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.js';

/** What a request asks for, read from its line and its headers. */
export interface S3Request {
  readonly method: string;
  /** Path as a signature covers it: decoded and encoded again in the one way that S3 knows. */
  readonly canonicalPath: string;
  readonly bucket: string;
  /** Empty for a request about the bucket. */
  readonly key: string;
  readonly query: Query;
  /** One value per name; a header that came twice is refused where it matters. */
  readonly headers: Readonly<Record<string, string>>;
}

const MAX_PARAMETERS = 64;

/** Parameters by name, decoded. Names are compared without regard to case, as clients spell `X-Amz-…` differently. */
export class Query {
  private readonly byLowerName = new Map<string, string>();

  constructor(readonly entries: readonly (readonly [name: string, value: string])[]) {
    if (entries.length > MAX_PARAMETERS) throw new S3Error('InvalidURI', 'The query has too many parameters.');
    for (const [name, value] of entries) {
      // Twice the same parameter, and two readers may see two different requests.
      if (this.byLowerName.has(name.toLowerCase())) throw new S3Error('InvalidURI', `Twice the parameter ${name}.`);
      this.byLowerName.set(name.toLowerCase(), value);
    }
  }

  get(name: string): string | undefined {
    return this.byLowerName.get(name.toLowerCase());
  }

  get names(): readonly string[] {
    return [...this.byLowerName.keys()];
  }
}

export function readRequest(request: IncomingMessage): S3Request {
  const target = request.url ?? '/';
  const at = target.indexOf('?');
  const path = decode(at < 0 ? target : target.slice(0, at));
  const search = at < 0 ? '' : target.slice(at + 1);
  const entries = search === '' ? [] : search.split('&').map(readParameter);
  const [, bucket = '', key = ''] = /^\/([^/]*)(?:\/(.*))?$/su.exec(path) ?? [];
  const headers = Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(',')]),
  );
  return {
    method: request.method ?? 'GET',
    canonicalPath: path.split('/').map(encode).join('/'),
    bucket,
    key,
    query: new Query(entries),
    headers,
  };
}

function readParameter(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [decode(text), ''] : [decode(text.slice(0, at)), decode(text.slice(at + 1))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new S3Error('InvalidURI', 'The URI cannot be decoded.', { cause: error });
  }
}

/** All but letters, digits and `-._~` is escaped. [Signature Version 4, UriEncode] */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

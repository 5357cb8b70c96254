import { createHash } from 'node:crypto';
import http from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Keys, OWNER, SERVER } from './server.js';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface RawRequest {
  readonly method: string;
  /** Goes on the wire as it stands: neither `..` nor `%2F` is touched, as fetch and every SDK would. */
  readonly path: string;
  /** The path that is signed, where that is another one. */
  readonly signedPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export async function sendSigned(request: RawRequest, credentials: Keys = OWNER): Promise<Answer> {
  const { method, path, signedPath = path, body = '' } = request;
  const { hostname, port, host } = new URL(SERVER.endpoint);
  const signer = new SignatureV4({
    credentials,
    region: SERVER.region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });
  const { headers } = await signer.sign({
    ...{ method, hostname, port: Number(port), protocol: 'http:', path: signedPath, query: {} },
    headers: { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...request.headers, host },
  });
  return send(
    method,
    new URL(SERVER.endpoint),
    path,
    { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    body,
  );
}

/** A request to an address that needs no further signature. */
export async function sendTo(
  url: string,
  method = 'GET',
  body: string | Buffer = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const target = new URL(url);
  return send(
    method,
    target,
    target.pathname + target.search,
    { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    body,
  );
}

function send(
  method: string,
  { hostname, port }: URL,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ method, hostname, port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

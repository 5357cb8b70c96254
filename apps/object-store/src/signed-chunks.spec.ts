import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { rootCredentials } from './a-role.fixture.js';
import { BUCKET, type RunningStore, SECRET, startStore } from './running-store.fixture.js';

let store: RunningStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.stop());

const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

interface Chunks {
  readonly chunks: readonly string[];
  readonly trailer?: string;
  readonly tamper?: (body: string) => string;
}

/** A PUT in signed chunks, made from the specification by hand. */
async function put(key: string, { chunks, trailer, tamper = (body) => body }: Chunks): Promise<string> {
  const { host, hostname } = new URL(store.url);
  const headers = {
    host,
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': trailer === undefined ? SIGNED : `${SIGNED}-TRAILER`,
    'x-amz-decoded-content-length': String(chunks.join('').length),
    ...(trailer === undefined ? {} : { 'x-amz-trailer': 'x-amz-checksum-crc32' }),
  };
  const [region, service, path] = ['us-east-1', 's3', `/${BUCKET}/${key}`];
  const signer = new SignatureV4({
    credentials: rootCredentials,
    region,
    service,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const signed = await signer.sign({ method: 'PUT', protocol: 'http:', hostname, path, headers });
  const date = signed.headers['x-amz-date'] ?? '';
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signingKey = scope.split('/').reduce<Buffer>((last, part) => hmac(last, part), Buffer.from(`AWS4${SECRET}`));
  let previous = signed.headers['authorization']?.split('Signature=')[1] ?? '';
  const sign = (...parts: string[]): string => {
    const [algorithm = '', ...rest] = parts;
    previous = hmac(signingKey, [algorithm, date, scope, previous, ...rest].join('\n')).toString('hex');
    return previous;
  };
  let body = '';
  for (const chunk of [...chunks, '']) {
    const signature = sign('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), sha256(chunk));
    body += `${chunk.length.toString(16)};chunk-signature=${signature}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`;
  }
  if (trailer !== undefined) {
    const signature = sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${trailer}\n`));
    body += `${trailer}\r\nx-amz-trailer-signature:${signature}\r\n`;
  }
  const response = await fetch(`${store.url}${path}`, {
    method: 'PUT',
    headers: signed.headers,
    body: tamper(`${body}\r\n`),
  });
  return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1] ?? ''}`.trim();
}

const checksum = (content: string): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return `x-amz-checksum-crc32:${bytes.toString('base64')}`;
};

describe('a body in signed chunks', () => {
  it('is stored, with a trailer and without', async () => {
    expect(await put('signed/a', { chunks: ['hello ', 'world'] })).toBe('200');
    expect(await put('signed/b', { chunks: ['hello ', 'world'], trailer: checksum('hello world') })).toBe('200');
    expect(store.store.find(BUCKET, 'signed/a')?.etag).toBe(createHash('md5').update('hello world').digest('hex'));
    expect(store.store.find(BUCKET, 'signed/b')?.sizeBytes).toBe(11);
  });

  it.each([
    ['a chunk that was changed', (body: string) => body.replace('world', 'WORLD'), '403 SignatureDoesNotMatch'],
    [
      'a chunk less',
      (body: string) => body.replace(/^6;chunk-signature=[0-9a-f]+\r\nhello \r\n/, ''),
      '403 SignatureDoesNotMatch',
    ],
    [
      'a last chunk of another signature',
      (body: string) => body.replace(/\r\n0;chunk-signature=[0-9a-f]{64}/, `\r\n0;chunk-signature=${'0'.repeat(64)}`),
      '403 SignatureDoesNotMatch',
    ],
    ['no signatures', (body: string) => body.replace(/;chunk-signature=[0-9a-f]+/g, ''), '400 InvalidRequest'],
    [
      'a trailer more',
      (body: string) => body.replace(/\r\n\r\n$/, '\r\nx-amz-meta:1\r\n\r\n'),
      '403 SignatureDoesNotMatch',
    ],
  ])('is refused with %s', async (_what, tamper, expected) => {
    expect(await put('signed/tampered', { chunks: ['hello ', 'world'], tamper })).toBe(expected);
    expect(store.store.find(BUCKET, 'signed/tampered')).toBeNull();
  });

  it('is refused with another trailer than was signed', async () => {
    const tamper = (body: string) => body.replace(/crc32:.*=\r\n/, `crc32:AAAAAA==\r\n`);
    const outcome = await put('signed/trailer', { chunks: ['hello'], trailer: checksum('hello'), tamper });
    expect(outcome).toBe('403 SignatureDoesNotMatch');
    expect(store.store.find(BUCKET, 'signed/trailer')).toBeNull();
  });
});

import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { rootCertificates } from 'node:tls';
import { type Authority, makeAuthority } from '@aerie/testing';
import { ReadObject } from './read-object.js';

let authority: Authority;
let storage: Server;
const urlOf = (path: string): string => `https://127.0.0.1:${(storage.address() as AddressInfo).port}${path}`;

beforeAll(async () => {
  authority = await makeAuthority();
  const { cert, key } = await authority.issue();
  storage = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const { url = '' } = request;
    if (url === '/elsewhere') response.writeHead(307, { location: '/object' }).end();
    else if (url === '/circle') response.writeHead(307, { location: '/circle' }).end();
    else if (url === '/object') response.end('content');
    else response.writeHead(403).end('refused');
  });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  storage.closeAllConnections();
  storage.close();
  authority.remove();
});

async function read(path: string, authorities: readonly string[] | undefined): Promise<string> {
  const pieces: Buffer[] = [];
  const content = await new ReadObject(authorities).open(urlOf(path), 'the log', AbortSignal.timeout(10_000));
  for await (const piece of content as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
const trusted = (): string[] => [...rootCertificates, authority.caPem];

it('reads an object of a storage whose authority is trusted, also where the storage sends on', async () => {
  await expect(read('/object', trusted())).resolves.toBe('content');
  await expect(read('/elsewhere', trusted())).resolves.toBe('content');
});

it('reads nothing of a storage whose authority is not trusted', async () => {
  await expect(read('/object', undefined)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

it('says which object a storage refused, and follows no circle', async () => {
  await expect(read('/other', trusted())).rejects.toThrow('failed to read the log: status 403');
  await expect(read('/circle', trusted())).rejects.toThrow('failed to read the log: status 307');
});

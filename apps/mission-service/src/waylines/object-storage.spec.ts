import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeAuthority } from '@aerie/testing';
import { S3Storage } from './object-storage.js';

it('writes a wayline only where no object is yet, and takes the one that is there for the same file', async () => {
  const conditions: unknown[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    conditions.push(request.headers['if-none-match']);
    request.resume().on('end', () => response.writeHead(status).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { accessKeyId: 'irrelevant', secretAccessKey: 'irrelevant' };
  const storage = new S3Storage({ endpoint, region: 'irrelevant', bucket: 'irrelevant', ...access });
  try {
    await storage.put('a.kmz', Buffer.from('kmz'), 'irrelevant');
    status = 412;
    await storage.put('a.kmz', Buffer.from('kmz'), 'irrelevant');
    expect(conditions).toEqual(['*', '*']);
    status = 403;
    await expect(storage.put('a.kmz', Buffer.from('kmz'), 'irrelevant')).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  } finally {
    await storage.stop();
    server.closeAllConnections();
    server.close();
  }
});

it('writes to a storage whose authority is trusted, and to no other', async () => {
  const authority = await makeAuthority();
  const { cert, key } = await authority.issue();
  let requests = 0;
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    requests++;
    request.resume().on('end', () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { endpoint, region: 'irrelevant', bucket: 'irrelevant', accessKeyId: 'a', secretAccessKey: 'b' };
  const trusting = new S3Storage({ ...options, authorities: [authority.caPem] });
  const strict = new S3Storage(options);
  try {
    await trusting.put('a.kmz', Buffer.from('kmz'), 'irrelevant');
    await expect(strict.put('a.kmz', Buffer.from('kmz'), 'irrelevant')).rejects.toThrow('failed to store');
    expect(requests).toBe(1);
  } finally {
    await trusting.stop();
    await strict.stop();
    server.closeAllConnections();
    server.close();
    authority.remove();
  }
});

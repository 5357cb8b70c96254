import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

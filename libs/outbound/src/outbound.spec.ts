import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer, get as getOverTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeAuthority } from '@aerie/testing';
import { Outbound } from './outbound.js';

const inTheHouse = new Outbound(true);
const amongStrangers = new Outbound(false);

describe('Outbound', () => {
  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '100.100.100.200',
    'fd00:ec2::254',
    '0.0.0.0',
    '224.0.0.1',
    '168.63.129.16',
    '64:ff9b::a9fe:a9fe',
  ])('never lets a connection go to %s', (address) => {
    expect(inTheHouse.refusalOf(address)).toMatch('no server');
    expect(amongStrangers.refusalOf(address)).toMatch('no server');
  });

  it.each(['127.0.0.1', '10.1.2.3', '192.168.0.9', '172.20.0.1', '100.64.0.1', '::1', '::ffff:10.0.0.1', 'fd12::1'])(
    'lets a connection go to %s only where private networks are allowed',
    (address) => {
      expect(inTheHouse.refusalOf(address)).toBeNull();
      expect(amongStrangers.refusalOf(address)).toMatch('private');
    },
  );

  it('lets connections go out into the world', () => {
    expect(amongStrangers.refusalOf('52.95.110.1')).toBeNull();
    expect(amongStrangers.refusalOf('2600:1f00::1')).toBeNull();
  });

  it('looks at a host that is an address before it connects', () => {
    expect(amongStrangers.refusalOfUrl('http://169.254.169.254/latest')).toMatch('no server');
    expect(amongStrangers.refusalOfUrl('https://[::1]:9000')).toMatch('private');
    expect(amongStrangers.refusalOfUrl('https://s3.example.com')).toBeNull();
  });

  it.each(['http://10.255.255.1:9/', 'http://127.0.0.1:9/', 'http://[::1]:9/'])(
    'does not connect to the address of %s, whoever made that URL',
    async (url) => {
      const agent = amongStrangers.agents().httpAgent;
      const failed = new Promise((resolve) => get(url, { agent }).on('error', resolve));
      await expect(failed).resolves.toMatchObject({ code: 'EADDRREFUSED' });
      agent.destroy();
    },
  );

  it('looks at what a name resolves to', async () => {
    const server = createServer((_request, response) => response.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
    const statusBy = (outbound: Outbound): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const agent = outbound.agents().httpAgent;
        get(url, { agent, family: 4 }, (response) => {
          response.resume().on('end', () => {
            agent.destroy();
            resolve(response.statusCode);
          });
        }).on('error', reject);
      });
    await expect(statusBy(inTheHouse)).resolves.toBe(200);
    await expect(statusBy(amongStrangers)).rejects.toMatchObject({ code: 'EADDRREFUSED' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('connects over TLS to storages of the authorities that it was given, and refuses those of others', async () => {
    const authority = await makeAuthority();
    const { cert, key } = await authority.issue();
    const files = { cert: readFileSync(cert), key: readFileSync(key) };
    const server = createTlsServer(files, (_request, response) => response.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const statusBy = (outbound: Outbound): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const agent = outbound.agents().httpsAgent;
        getOverTls(url, { agent }, (response) => {
          agent.destroy();
          resolve(response.statusCode);
        }).on('error', reject);
      });
    await expect(statusBy(new Outbound(true, [authority.caPem]))).resolves.toBe(200);
    await expect(statusBy(inTheHouse)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    authority.remove();
  });
});

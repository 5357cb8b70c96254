import { readStorageAccess } from './storage-access.js';

const credentials = { access_key_id: 'k', access_key_secret: 's', security_token: 't', expire: 3_600 };
const data = { bucket: 'b', endpoint: 'http://127.0.0.1:1', region: 'r', provider: 'minio', credentials };

describe('the storage in a message of the cloud', () => {
  it('is read with its keys', () => {
    expect(readStorageAccess(data)).toEqual({
      ...{ provider: 'minio', endpoint: 'http://127.0.0.1:1', region: 'r', bucket: 'b' },
      ...{ accessKeyId: 'k', secretAccessKey: 's', securityToken: 't' },
    });
  });

  it.each([
    ['a bucket', { ...data, bucket: '' }],
    ['keys', { ...data, credentials: null }],
    ['a scheme in its endpoint', { ...data, endpoint: '127.0.0.1:1' }],
    ['a host in its endpoint', { ...data, endpoint: 'http://' }],
  ])('is of no use without %s', (_, incomplete) => {
    expect(readStorageAccess(incomplete)).toBeUndefined();
  });
});

import { Secret } from '@aerie/kernel';
import type { Storage } from './storage.js';

/** A storage of which only what a test names matters. */
export const aStorage = (parts: Partial<Storage> = {}): Storage => ({
  provider: 's3',
  dockEndpoint: 'http://127.0.0.1:9000',
  serviceEndpoint: 'http://127.0.0.1:9000',
  stsEndpoint: 'http://127.0.0.1:9000',
  iamEndpoint: null,
  region: 'us-east-1',
  bucket: 'aerie',
  pathStyle: true,
  roleArn: 'arn:aws:iam:::role/dock-upload',
  externalId: null,
  accessKeyId: 'AKEXAMPLE',
  secretAccessKey: new Secret('the secret of this test'),
  lifetimeSeconds: 14_400,
  ...parts,
});

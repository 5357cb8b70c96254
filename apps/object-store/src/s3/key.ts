import { MAX_KEY_BYTES } from '../storage/object-key.js';
import { S3Error } from './s3-error.js';

export const CONTROL = /[\u0000-\u001f\u007f]/;

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error('KeyTooLongError', 'The key is too long.');
  if (CONTROL.test(key)) throw new S3Error('InvalidArgument', 'The key has a control character.');
  // Harmless here, as keys are no paths; but no honest program makes such a key, and others unpack by them.
  if (key.split('/').some((part) => part === '.' || part === '..')) {
    throw new S3Error('InvalidArgument', 'The key has a part that climbs.');
  }
}

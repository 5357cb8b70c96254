import { createHmac } from 'node:crypto';
import type { Credentials } from './credentials.js';
import type { Claim } from './signature-claim.js';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The key of one day, region and service. [Signature Version 4, signing key] */
export const signingKey = ({ secretAccessKey }: Credentials, { scopeDate, region, service }: Claim): Buffer =>
  [scopeDate, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secretAccessKey.reveal()}`),
  );

export const signText = (key: Buffer, text: string): string => hmac(key, text).toString('hex');

export const scopeOf = ({ scopeDate, region, service }: Claim): string =>
  `${scopeDate}/${region}/${service}/aws4_request`;

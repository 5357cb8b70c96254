import { InvalidError, Secret } from '@aerie/kernel';
import { readInput } from '@aerie/http-api';
import { z } from 'zod';
import type { Outbound } from '@aerie/outbound';
import { PROVIDERS, type Storage } from './storage.js';

/** An address of a server: nothing of a path, a query or a password is used, so none may be there. */
const endpoint = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((url) => /^https?:\/\/[^/?#@]+\/?$/.test(url), 'must be http(s)://host:port and nothing more');

/** [S3, bucket naming rules], which those of OSS are within. */
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');

/** Keys live an hour at least, or a large file outlasts them; twelve hours is the most that a role can allow. */
const LIFETIME_SECONDS = { least: 3_600, most: 43_200, usual: 14_400 };

export const storageInput = z.strictObject({
  provider: z
    .enum(PROVIDERS)
    .describe('aws: Amazon S3. ali: Alibaba OSS. s3: any other storage that speaks S3 and STS, e.g. MinIO or Ceph.'),
  dockEndpoint: endpoint.describe('The storage as docks reach it, http(s)://host:port.'),
  serviceEndpoint: endpoint.optional().describe('The storage as Aerie reaches it. Default: dockEndpoint.'),
  stsEndpoint: endpoint
    .optional()
    .describe('Where keys for a while are made. Default: that of the provider; for s3 serviceEndpoint.'),
  iamEndpoint: endpoint
    .optional()
    .describe('Where policies of the role are changed, to call keys back. Default: that of AWS; for s3 nowhere.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region')
    .describe('Region that signatures name, e.g. eu-central-1; for ali as in cn-hangzhou.'),
  bucket: bucketName.describe('The bucket; objects lie below org/. For ali without a ".".'),
  pathStyle: z
    .boolean()
    .optional()
    .describe('true: http://host/bucket/key. Default: true for s3, false for aws and ali.'),
  roleArn: z.string().min(1).max(2_048).describe('The role whose rights keys for docks are cut from.'),
  externalId: z.string().min(2).max(1_224).optional().describe('What the trust of the role asks for. [AWS STS]'),
  accessKeyId: z.string().min(3).max(128).describe('Key that may assume the role, and read below org/.'),
  secretAccessKey: z
    .string()
    .min(8)
    .max(256)
    .optional()
    .describe(
      'Its secret. Never shown again; left out, the stored one stays, where provider, endpoints, role and key are as before.',
    ),
  lifetimeSeconds: z
    .int()
    .min(LIFETIME_SECONDS.least)
    .max(LIFETIME_SECONDS.most)
    .default(LIFETIME_SECONDS.usual)
    .describe('Life of keys for media, seconds; the role must allow it.'),
});

/** All but the secret, which may be the one that is stored. */
export interface NewStorage extends Omit<Storage, 'secretAccessKey'> {
  readonly secretAccessKey: Secret | null;
}

/** Checks the body of `PUT /storage`. @throws InvalidError that names every field */
export function readStorageInput(body: unknown, outbound: Outbound): NewStorage {
  const input = readInput(storageInput, body);
  const endpoints = {
    dockEndpoint: input.dockEndpoint,
    serviceEndpoint: input.serviceEndpoint,
    stsEndpoint: input.stsEndpoint,
    iamEndpoint: input.iamEndpoint,
  };
  const fields = Object.entries(endpoints).flatMap(([field, url]) => {
    const message = url === undefined ? null : outbound.refusalOfUrl(url);
    return message === null ? [] : [{ field, message }];
  });
  if (input.provider === 'ali' && input.iamEndpoint !== undefined) {
    fields.push({ field: 'iamEndpoint', message: 'is not used for ali: it cannot call keys back' });
  }
  if (input.provider === 'ali' && input.bucket.includes('.')) {
    fields.push({ field: 'bucket', message: 'must have no "." for ali' });
  }
  if (fields.length > 0) throw new InvalidError('invalid_input', 'the body is not valid', { fields });
  // As it is read, not as it is written: `http://10.1` is another host once a name stands before it.
  const plain = (url: string): string => new URL(url).origin;
  const serviceEndpoint = plain(input.serviceEndpoint ?? input.dockEndpoint);
  const own = input.provider === 's3' ? serviceEndpoint : null;
  return {
    provider: input.provider,
    dockEndpoint: plain(input.dockEndpoint),
    serviceEndpoint,
    stsEndpoint: input.stsEndpoint === undefined ? own : plain(input.stsEndpoint),
    iamEndpoint: input.iamEndpoint === undefined ? null : plain(input.iamEndpoint),
    region: input.region,
    bucket: input.bucket,
    pathStyle: input.pathStyle ?? input.provider === 's3',
    roleArn: input.roleArn,
    externalId: input.externalId ?? null,
    accessKeyId: input.accessKeyId,
    secretAccessKey: input.secretAccessKey === undefined ? null : new Secret(input.secretAccessKey),
    lifetimeSeconds: input.lifetimeSeconds,
  };
}

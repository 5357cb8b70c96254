import { Secret } from '@aerie/kernel';
import { readConfig } from '@aerie/service-host';
import { z } from 'zod';
import { isBucketName } from './storage/object-key.js';

const schema = z.object({
  OBJECT_STORE_PORT: z.coerce.number().int().min(0).max(65_535).describe('Port of S3, health and metrics.'),
  OBJECT_STORE_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  OBJECT_STORE_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  OBJECT_STORE_DIRECTORY: z.string().min(1).describe('Where objects lie. One process owns it.'),
  OBJECT_STORE_ACCESS_KEY_ID: z.string().min(3).max(128).describe('The access key. There is no default.'),
  OBJECT_STORE_SECRET_ACCESS_KEY: z
    .string()
    .min(16)
    .transform((text) => new Secret(text))
    .describe('Its secret, at least 16 characters. There is no default.'),
  OBJECT_STORE_REGION: z.string().min(1).default('us-east-1').describe('Region that signatures must name.'),
  OBJECT_STORE_BUCKETS: z
    .string()
    .transform((list) => list.split(',').map((name) => name.trim()))
    .refine((names) => names.every(isBucketName), 'must be bucket names, separated by commas')
    .describe('Buckets, created at start. There is no way to create others.'),
});

export type Config = z.output<typeof schema>;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readConfig(schema, env);

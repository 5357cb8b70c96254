import { Secret } from '@aerie/kernel';
import { readConfig } from '@aerie/service-host';
import { z } from 'zod';

const schema = z.object({
  CREDENTIAL_HTTP_PORT: z.coerce.number().int().describe('Port of health and metrics.'),
  CREDENTIAL_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  CREDENTIAL_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  NATS_URL: z.url().describe('nats://user:password@host:port'),
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .describe('The storage as docks reach it: its host is part of every signature. http(s)://host:port'),
  S3_REGION: z.string().min(1).default('us-east-1').describe('Region that signatures name.'),
  S3_BUCKET: z.string().min(3).max(63).describe('The bucket that holds the objects of all organisations.'),
  S3_ACCESS_KEY_ID: z.string().min(1).describe('Access key that may read the bucket.'),
  S3_SECRET_ACCESS_KEY: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .describe('Its secret.'),
  S3_FORCE_PATH_STYLE: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe(
      'true: http://host/bucket/key, as the local store and most private ones want it. false: http://bucket.host/key',
    ),
});

export type Config = z.output<typeof schema>;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readConfig(schema, env);

import { Secret } from '@aerie/kernel';
import { type ProgramSettings, readSettings, secret } from '@aerie/service-host';
import { z } from 'zod';
import { TEMPORARY_KEY_PREFIX } from './access/session-tokens.js';
import { isBucketName } from './storage/object-key.js';
import { rolesSchema } from './sts/role.js';

const GIB = 1024 ** 3;

const bytes = z.coerce
  .number()
  .int()
  .min(1)
  .max(5 * 1024 * GIB);

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
}

const schema = z.object({
  OBJECT_STORE_PORT: z.coerce.number().int().min(0).max(65_535).describe('Port of S3, health and metrics.'),
  OBJECT_STORE_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  OBJECT_STORE_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  OBJECT_STORE_DIRECTORY: z.string().min(1).describe('Where objects lie. One process owns it.'),
  OBJECT_STORE_ACCESS_KEY_ID: secret(
    z
      .string()
      .min(3)
      .max(128)
      .refine((id) => !id.startsWith(TEMPORARY_KEY_PREFIX), `must not begin with ${TEMPORARY_KEY_PREFIX}`),
  ).describe('The access key. There is no default.'),
  OBJECT_STORE_SECRET_ACCESS_KEY: secret(
    z
      .string()
      .min(16)
      .transform((text) => new Secret(text)),
  ).describe('Its secret, at least 16 characters. There is no default.'),
  OBJECT_STORE_REGION: z.string().min(1).default('us-east-1').describe('Region that signatures must name.'),
  OBJECT_STORE_BUCKETS: z
    .string()
    .transform((list) => list.split(',').map((name) => name.trim()))
    .refine((names) => names.every(isBucketName), 'must be bucket names, separated by commas')
    .describe('Buckets, created at start. There is no way to create others.'),
  OBJECT_STORE_ROLES: z
    .string()
    .default('[]')
    .transform(parseJson)
    .pipe(rolesSchema)
    .describe('Roles that can be assumed: a JSON list of { arn, policy, maxDurationSeconds }.'),
  OBJECT_STORE_CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((origin) => origin.trim() || []))
    .refine((origins) => origins.every((origin) => /^(\*|https?:\/\/[^/\s]+)$/.test(origin)), 'must be origins or *')
    .describe('Origins whose pages may use the store, separated by commas.'),
  OBJECT_STORE_CLOCK_AHEAD_MS: z.coerce
    .number()
    .int()
    .default(0)
    .describe('How far the clock of this store is ahead of that of the machine, ms: for tests of its clients.'),
  OBJECT_STORE_MAX_OBJECT_BYTES: bytes.default(16 * GIB).describe('The largest object.'),
  OBJECT_STORE_MAX_PART_BYTES: bytes.default(5 * GIB).describe('The largest body of one request.'),
});

export type Config = z.output<typeof schema>;

export const SETTINGS = { program: 'object-store', prefix: 'OBJECT_STORE_', schema } satisfies ProgramSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

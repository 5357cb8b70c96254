import { InvalidError, Secret } from '@aerie/kernel';
import {
  type CommandSettings,
  type ProgramSettings,
  authorities,
  databaseSettings,
  daysKept,
  listenSettings,
  peer,
  proxyHops,
  readConfig,
  readSettings,
  requestLimits,
  secret,
  streamReplicas,
  traceSettings,
  auditMonths,
} from '@aerie/service-host';
import { z } from 'zod';
import { LEAST_LEDGER_DAYS } from './retention.js';
import { PROVIDERS, type Storage } from './storages/storage.js';

const endpoint = z.url({ protocol: /^https?$/ });

/** The storage of the deployment: what organisations use that have chosen none. */
const storageShape = {
  STORAGE_PROVIDER: z
    .enum(PROVIDERS)
    .default('s3')
    .describe('aws, ali (Alibaba OSS), or s3 for every other storage that speaks S3 and STS.'),
  S3_ENDPOINT: endpoint.describe('The storage as docks reach it: its host is part of every signature.'),
  S3_SERVICE_ENDPOINT: endpoint.optional().describe('The storage as this service reaches it. Default: S3_ENDPOINT.'),
  STS_ENDPOINT: endpoint
    .optional()
    .describe('Where keys for docks are made. Default: that of the provider; for s3 the service endpoint.'),
  IAM_ENDPOINT: endpoint
    .optional()
    .describe('Where policies of the role are changed, to call keys back. Default: that of AWS; for s3 nowhere.'),
  S3_CA_FILE: authorities(['S3_ENDPOINT', 'S3_SERVICE_ENDPOINT', 'STS_ENDPOINT', 'IAM_ENDPOINT']).describe(
    'Certificate authorities of storages, beside the public ones.',
  ),
  S3_REGION: z.string().min(1).default('us-east-1').describe('Region that signatures name.'),
  S3_BUCKET: z.string().min(3).max(63).describe('The bucket that holds the objects of all organisations.'),
  S3_ACCESS_KEY_ID: secret(z.string().min(1)).describe('Key that may assume the role, and read the bucket.'),
  S3_SECRET_ACCESS_KEY: secret(
    z
      .string()
      .min(1)
      .transform((text) => new Secret(text)),
  ).describe('Its secret.'),
  S3_FORCE_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe(
      'true: http://host/bucket/key, the default for s3. false: http://bucket.host/key, the default for others.',
    ),
  STS_ROLE_ARN: z.string().min(1).max(2_048).describe('The role whose rights keys for docks are cut from.'),
  STS_EXTERNAL_ID: secret(z.string().min(2).max(1_224).optional()).describe('What the trust of the role asks for.'),
  STS_LIFETIME_SECONDS: z.coerce
    .number()
    .int()
    .min(3_600)
    .max(43_200)
    .default(14_400)
    .describe('Life of keys for docks, seconds. The role must allow it; media of one mission may take hours.'),
  CREDENTIAL_BROWSER_ORIGIN: z
    .string()
    .regex(/^https?:\/\/[^/\s]+$/)
    .optional()
    .describe('Where the console is served from, for the check of CORS. Default: none.'),
};

const schema = z.object({
  CREDENTIAL_HTTP_PORT: z.coerce.number().int().describe('Port of the API, health and metrics.'),
  CREDENTIAL_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  HTTP_PROXY_HOPS: proxyHops(),
  ...requestLimits,
  CREDENTIAL_GRPC_PORT: z.coerce.number().int().describe('Port of the gRPC API.'),
  CREDENTIAL_GRPC_HOST: z.string().default('127.0.0.1').describe('Address to listen on for gRPC.'),
  ...listenSettings,
  CREDENTIAL_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  ...databaseSettings('credential'),
  NATS_URL: peer('nats').describe('nats://user:password@host:port, or tls://'),
  NATS_STREAM_REPLICAS: streamReplicas().describe(
    'How many servers of a NATS cluster keep each stream; 3 in production.',
  ),
  CREDENTIAL_KEY_FILE: z
    .string()
    .min(1)
    .describe(
      'Keys that seal the secrets of organisations: `<name> <32 bytes in base64>` a line, the first one seals.',
    ),
  CREDENTIAL_PRIVATE_ENDPOINTS: z
    .enum(['allowed', 'refused'])
    .default('refused')
    .describe('Whether organisations may choose a storage in a private network.'),
  CREDENTIAL_AUDIT_MONTHS: auditMonths(),
  CREDENTIAL_LEDGER_DAYS: daysKept(400, LEAST_LEDGER_DAYS).describe(
    'For how many days it is kept what opened a storage, what was called back, and which files docks said they uploaded.',
  ),
  ...storageShape,
});

export type Config = z.output<typeof schema>;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

/** What the doctor needs who examines a storage without a running service. */
const doctorSchema = z.object(storageShape);
export type DoctorConfig = z.output<typeof doctorSchema>;

export const SETTINGS = {
  program: 'credential-service',
  prefix: 'CREDENTIAL_',
  schema,
} satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'migrate.js': z.object({ DATABASE_URL: peer('postgres').describe('The database to migrate, as the user migrator.') }),
  'doctor.js': doctorSchema,
  'verify-audit.js': z.object(databaseSettings('credential')),
} satisfies CommandSettings;

export const loadDoctorConfig = (env: NodeJS.ProcessEnv): DoctorConfig => readConfig(doctorSchema, env);

/** @throws InvalidError where the parts do not fit together */
export function deploymentStorageOf(config: DoctorConfig): Storage {
  const provider = config.STORAGE_PROVIDER;
  if (provider === 'ali' && config.IAM_ENDPOINT !== undefined) {
    const message = 'is not used for ali: it cannot call keys back';
    throw new InvalidError('invalid_config', `the configuration cannot be used: IAM_ENDPOINT ${message}`, {
      fields: [{ field: 'IAM_ENDPOINT', message }],
    });
  }
  const plain = (url: string): string => new URL(url).origin;
  const dockEndpoint = plain(config.S3_ENDPOINT);
  const serviceEndpoint = plain(config.S3_SERVICE_ENDPOINT ?? dockEndpoint);
  const own = provider === 's3' ? serviceEndpoint : null;
  return {
    ...{ provider, dockEndpoint, serviceEndpoint },
    stsEndpoint: config.STS_ENDPOINT === undefined ? own : plain(config.STS_ENDPOINT),
    iamEndpoint: config.IAM_ENDPOINT === undefined ? null : plain(config.IAM_ENDPOINT),
    region: config.S3_REGION,
    bucket: config.S3_BUCKET,
    pathStyle: config.S3_FORCE_PATH_STYLE ?? provider === 's3',
    roleArn: config.STS_ROLE_ARN,
    externalId: config.STS_EXTERNAL_ID ?? null,
    accessKeyId: config.S3_ACCESS_KEY_ID,
    secretAccessKey: config.S3_SECRET_ACCESS_KEY,
    lifetimeSeconds: config.STS_LIFETIME_SECONDS,
  };
}

import { DEFAULT_TIMING, type Timing } from '@aerie/log-core';
import { LEAST_IDEMPOTENCY_DAYS } from '@aerie/http-api';
import { LEAST_INBOX_DAYS } from '@aerie/persistence';
import {
  type CommandSettings,
  type ProgramSettings,
  authorities,
  databaseSettings,
  daysKept,
  listenSettings,
  peer,
  proxyHops,
  readSettings,
  requestLimits,
  streamReplicas,
  traceSettings,
  auditMonths,
} from '@aerie/service-host';
import { z } from 'zod';
import { LEAST_DETAIL_DAYS } from './retention/least-days.js';

const millis = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const schema = z.object({
  LOG_HTTP_PORT: z.coerce.number().int().describe('Port of the API, health and metrics.'),
  LOG_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  HTTP_PROXY_HOPS: proxyHops(),
  ...requestLimits,
  LOG_GRPC_PORT: z.coerce.number().int().describe('Port of the gRPC API.'),
  LOG_GRPC_HOST: z.string().default('127.0.0.1').describe('Address to listen on for gRPC.'),
  ...listenSettings,
  LOG_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  ...databaseSettings('log'),
  REDIS_URL: peer('redis').describe('redis://user:password@host:port, or rediss://'),
  NATS_URL: peer('nats').describe('nats://user:password@host:port, or tls://'),
  NATS_STREAM_REPLICAS: streamReplicas().describe(
    'How many servers of a NATS cluster keep each stream; 3 in production.',
  ),
  S3_CA_FILE: authorities().describe('Certificate authorities of storages, beside the public ones.'),
  LOG_LIST_REPLY_MS: millis(DEFAULT_TIMING.listReplyMs, 1_000, 5 * MINUTE_MS).describe(
    'How long a dock may take to list its logs, before it is asked again.',
  ),
  LOG_SILENCE_MS: millis(DEFAULT_TIMING.silenceMs, 1_000, 30 * MINUTE_MS).describe(
    'An upload that says nothing for this long is looked for in the storage.',
  ),
  LOG_REPEAT_MS: millis(DEFAULT_TIMING.repeatMs, 500, 5 * MINUTE_MS).describe(
    'Between two cancels to a dock, and between two looks into a storage that does not answer.',
  ),
  LOG_HOLD_MS: millis(DEFAULT_TIMING.holdMs, 500, 10 * MINUTE_MS).describe(
    'Before a dock that flies or is away is asked for again; it doubles up to LOG_LONGEST_HOLD_MS.',
  ),
  LOG_LONGEST_HOLD_MS: millis(DEFAULT_TIMING.longestHoldMs, 500, HOUR_MS).describe('The longest such wait.'),
  LOG_BYTES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(DEFAULT_TIMING.bytesPerSecond)
    .describe('What is taken of the uplink of a dock for an estimate.'),
  LOG_OVERHEAD_MS: millis(DEFAULT_TIMING.overheadMs, 1_000, 30 * MINUTE_MS).describe(
    'Pulling, packing and the margin before a mission, added to every estimate.',
  ),
  LOG_LIFETIME_MS: millis(DEFAULT_TIMING.lifetimeMs, 10_000, 7 * 24 * HOUR_MS).describe(
    'After this an upload that has not ended is given up.',
  ),
  LOG_COLLECT_ON_FAILURE: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether the logs of failed missions are collected for organisations that have not decided.'),
  LOG_DETAIL_DAYS: daysKept(90, LEAST_DETAIL_DAYS).describe(
    'For how many days after its end the detail of an upload is kept: timeline and commands.',
  ),
  LOG_IDEMPOTENCY_DAYS: daysKept(LEAST_IDEMPOTENCY_DAYS, LEAST_IDEMPOTENCY_DAYS).describe(
    'For how many days a repeated request gets its first answer.',
  ),
  LOG_AUDIT_MONTHS: auditMonths(),
  LOG_INBOX_DAYS: daysKept(LEAST_INBOX_DAYS, LEAST_INBOX_DAYS).describe(
    'For how many days a message that comes again is known.',
  ),
  LOG_OUTBOX_DAYS: daysKept(7).describe('For how many days facts are kept after they were published.'),
});

export type Config = z.output<typeof schema>;

export const SETTINGS = { program: 'log-service', prefix: 'LOG_', schema } satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'migrate.js': z.object({ DATABASE_URL: peer('postgres').describe('The database to migrate, as the user migrator.') }),
  'verify-audit.js': z.object(databaseSettings('log')),
} satisfies CommandSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

export const timingOf = (config: Config): Timing => ({
  listReplyMs: config.LOG_LIST_REPLY_MS,
  silenceMs: config.LOG_SILENCE_MS,
  repeatMs: config.LOG_REPEAT_MS,
  holdMs: config.LOG_HOLD_MS,
  longestHoldMs: config.LOG_LONGEST_HOLD_MS,
  bytesPerSecond: config.LOG_BYTES_PER_SECOND,
  overheadMs: config.LOG_OVERHEAD_MS,
  lifetimeMs: config.LOG_LIFETIME_MS,
});

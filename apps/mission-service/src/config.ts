import { DEFAULT_TIMING, type Timing } from '@aerie/mission-core';
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
  secret,
  streamReplicas,
  traceSettings,
  auditMonths,
} from '@aerie/service-host';
import { z } from 'zod';
import { LEAST_DETAIL_DAYS, LEAST_MISSION_DAYS } from './missions/retention/ended-missions.js';

const millis = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const MINUTE_MS = 60_000;

const schema = z.object({
  MISSION_HTTP_PORT: z.coerce.number().int().describe('Port of the API, health and metrics.'),
  MISSION_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  HTTP_PROXY_HOPS: proxyHops(),
  ...requestLimits,
  MISSION_GRPC_PORT: z.coerce.number().int().describe('Port of the gRPC API.'),
  MISSION_GRPC_HOST: z.string().default('127.0.0.1').describe('Address to listen on for gRPC.'),
  ...listenSettings,
  MISSION_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  ...databaseSettings('mission'),
  REDIS_URL: peer('redis').describe('redis://user:password@host:port, or rediss://'),
  NATS_URL: peer('nats').describe('nats://user:password@host:port, or tls://'),
  NATS_STREAM_REPLICAS: streamReplicas().describe(
    'How many servers of a NATS cluster keep each stream; 3 in production.',
  ),
  S3_ENDPOINT: z.url().describe('Object storage that holds the KMZ files.'),
  S3_CA_FILE: authorities(['S3_ENDPOINT']).describe('Certificate authorities of the storage, beside the public ones.'),
  S3_REGION: z.string().default('us-east-1').describe('Its region.'),
  S3_BUCKET: z.string().min(1).describe('Bucket for waylines.'),
  S3_ACCESS_KEY_ID: secret(z.string().min(1)).describe('Key that may write below */waylines/.'),
  S3_SECRET_ACCESS_KEY: secret(z.string().min(1)).describe('Its secret.'),
  MISSION_PREPARE_LEAD_MS: millis(DEFAULT_TIMING.prepareLeadMs, 0, 24 * 60 * MINUTE_MS).describe(
    'A timed mission is prepared this long before its time. The protocol allows 24 h.',
  ),
  MISSION_EXECUTE_LEAD_MS: millis(DEFAULT_TIMING.executeLeadMs, 0, 2 * MINUTE_MS).describe(
    'Execute goes out this long before the time of a mission; the dock powers on meanwhile.',
  ),
  MISSION_START_WINDOW_MS: millis(DEFAULT_TIMING.startWindowMs, 5_000, 30_000).describe(
    'How late a mission may start. Docks refuse a start that is more than 30 s late.',
  ),
  MISSION_START_WITHIN_MS: millis(DEFAULT_TIMING.startWithinMs, 5_000, 5 * MINUTE_MS).describe(
    'An immediate mission starts within this time after it was accepted, or ends as missed.',
  ),
  MISSION_REPLY_DEADLINE_MS: millis(DEFAULT_TIMING.replyMs, 1_000, 120_000).describe(
    'How long a command waits for its reply before the dock is asked again or looked at.',
  ),
  MISSION_IMMEDIATE_REPLY_DEADLINE_MS: millis(DEFAULT_TIMING.immediateReplyMs, 1_000, 30_000).describe(
    'The same for the prepare of an immediate mission.',
  ),
  MISSION_START_GRACE_MS: millis(DEFAULT_TIMING.startGraceMs, 1_000, 10 * MINUTE_MS).describe(
    'After the deadline, how long a dock that was told to start may take to show that it did.',
  ),
  MISSION_SILENCE_MS: millis(DEFAULT_TIMING.silenceMs, 1_000, 10 * MINUTE_MS).describe(
    'A flight that says nothing for this long is looked at. Docks report every 2 s.',
  ),
  MISSION_OBSERVE_EVERY_MS: millis(DEFAULT_TIMING.observeEveryMs, 500, MINUTE_MS).describe(
    'Between two looks at a silent dock, and between two undos.',
  ),
  MISSION_POWER_ON_MS: millis(DEFAULT_TIMING.powerOnMs, 1_000, 10 * MINUTE_MS).describe(
    'What a dock needs from the command to the first sign of a take-off.',
  ),
  MISSION_RESTING_FOR_MS: millis(DEFAULT_TIMING.restingForMs, 1_000, 60 * MINUTE_MS).describe(
    'A silent flight is over once each look for this long showed its dock at rest with the aircraft inside.',
  ),
  MISSION_UNOBSERVED_MS: millis(DEFAULT_TIMING.unobservedMs, 1_000, 60 * MINUTE_MS).describe(
    'After this long without a word or a sight, the outcome of a flight is called unknown.',
  ),
  MISSION_DURATION_SLACK_MS: millis(DEFAULT_TIMING.durationSlackMs, 1_000, 60 * MINUTE_MS).describe(
    'A flight may take one and a half times its plan and this, then its outcome is called unknown.',
  ),
  MISSION_TRACK_DAYS: daysKept(30).describe('For how many days each report of a flight is kept.'),
  MISSION_DETAIL_DAYS: daysKept(400, LEAST_DETAIL_DAYS).describe(
    'For how many days after its end the detail of a mission is kept: timeline, commands, preflight.',
  ),
  MISSION_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_650)
    .refine((days) => days === 0 || days >= LEAST_MISSION_DAYS, {
      error: `must be 0, which keeps missions for ever, or at least ${LEAST_MISSION_DAYS}`,
    })
    .default(0)
    .describe(
      `For how many days after its end a mission itself is kept. 0: for ever, else at least ${LEAST_MISSION_DAYS}.`,
    ),
  MISSION_IDEMPOTENCY_DAYS: daysKept(LEAST_IDEMPOTENCY_DAYS, LEAST_IDEMPOTENCY_DAYS).describe(
    'For how many days a repeated request gets its first answer.',
  ),
  MISSION_AUDIT_MONTHS: auditMonths(),
  MISSION_INBOX_DAYS: daysKept(LEAST_INBOX_DAYS, LEAST_INBOX_DAYS).describe(
    'For how many days a message of a dock that comes again is known.',
  ),
  MISSION_OUTBOX_DAYS: daysKept(7).describe('For how many days facts are kept after they were published.'),
});

export type Config = z.output<typeof schema>;

const checked = schema.refine((days) => days.MISSION_DAYS === 0 || days.MISSION_DAYS >= days.MISSION_DETAIL_DAYS, {
  path: ['MISSION_DAYS'],
  error: 'must be 0, which keeps missions for ever, or at least MISSION_DETAIL_DAYS: no detail outlives its mission',
});

export const SETTINGS = { program: 'mission-service', prefix: 'MISSION_', schema: checked } satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'migrate.js': z.object({ DATABASE_URL: peer('postgres').describe('The database to migrate, as the user migrator.') }),
  'after-restore.js': z.object(databaseSettings('mission')),
  'verify-audit.js': z.object(databaseSettings('mission')),
} satisfies CommandSettings;

/** @throws InvalidError that names each setting, what it is and what is allowed */
export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

export const timingOf = (config: Config): Timing => ({
  ...DEFAULT_TIMING,
  prepareLeadMs: config.MISSION_PREPARE_LEAD_MS,
  executeLeadMs: config.MISSION_EXECUTE_LEAD_MS,
  startWindowMs: config.MISSION_START_WINDOW_MS,
  startWithinMs: config.MISSION_START_WITHIN_MS,
  replyMs: config.MISSION_REPLY_DEADLINE_MS,
  immediateReplyMs: config.MISSION_IMMEDIATE_REPLY_DEADLINE_MS,
  startGraceMs: config.MISSION_START_GRACE_MS,
  silenceMs: config.MISSION_SILENCE_MS,
  observeEveryMs: config.MISSION_OBSERVE_EVERY_MS,
  powerOnMs: config.MISSION_POWER_ON_MS,
  restingForMs: config.MISSION_RESTING_FOR_MS,
  unobservedMs: config.MISSION_UNOBSERVED_MS,
  durationSlackMs: config.MISSION_DURATION_SLACK_MS,
});

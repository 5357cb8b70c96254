import { Secret } from '@aerie/kernel';
import { LEAST_INBOX_DAYS } from '@aerie/persistence';
import {
  type CommandSettings,
  type ProgramSettings,
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

const dockMqttUrl = z.url().describe('Address of the broker as docks reach it; told to whoever registers a dock.');

const schema = z.object({
  FLEET_HTTP_PORT: z.coerce.number().int().describe('Port of the API, health and metrics.'),
  FLEET_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  HTTP_PROXY_HOPS: proxyHops(),
  ...requestLimits,
  ...listenSettings,
  FLEET_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  ...databaseSettings('fleet'),
  REDIS_URL: peer('redis').describe('redis://user:password@host:port, or rediss://'),
  NATS_URL: peer('nats').describe('nats://user:password@host:port, or tls://'),
  NATS_STREAM_REPLICAS: streamReplicas().describe(
    'How many servers of a NATS cluster keep each stream; 3 in production.',
  ),
  FLEET_BROKER: z
    .enum(['mosquitto', 'asks'])
    .default('mosquitto')
    .describe(
      'mosquitto: users of docks are made by its dynamic security plugin. asks: the broker asks at /broker/v1, as EMQX does over HTTP.',
    ),
  MQTT_URL: peer('broker')
    .optional()
    .describe('Broker, for making the users of docks: mqtt://host:port or mqtts://host:port. With mosquitto alone.'),
  MQTT_USER: secret(z.string().min(1)).optional().describe('User that may write $CONTROL/dynamic-security/v1.'),
  MQTT_PASSWORD: secret(z.string().min(1)).optional().describe('Its password.'),
  FLEET_BROKER_SECRET: secret(
    z
      .string()
      .min(32)
      .transform((text) => new Secret(text)),
  )
    .optional()
    .describe('What the broker sends as `Authorization: Bearer …`, at least 32 characters. With `asks` alone.'),
  FLEET_DOCK_MQTT_URL: dockMqttUrl,
  FLEET_NTP_HOST: z.string().default('pool.ntp.org').describe('Time server for docks without Internet.'),
  FLEET_NTP_PORT: z.coerce.number().int().min(1).max(65_535).default(123).describe('Its port.'),
  FLEET_DJI_APP_ID: secret(z.string().default('')).describe("From the vendor's developer site; real docks want it."),
  FLEET_DJI_APP_KEY: secret(z.string().default('')).describe('As above.'),
  FLEET_DJI_APP_LICENSE: secret(z.string().default('')).describe('As above.'),
  FLEET_CUT_OFF_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(21_600)
    .default(600)
    .describe(
      'How long a dock is cut off at the broker that stays far over its budget, the first time in a day. Each further time ' +
        'is four times as long, up to six hours.',
    ),
  FLEET_AUDIT_MONTHS: auditMonths(),
  FLEET_SESSION_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(168)
    .default(12)
    .describe('After how many hours a session of a person ends, however much it is used.'),
  FLEET_SESSION_IDLE_MINUTES: z.coerce
    .number()
    .int()
    .min(5)
    .max(1_440)
    .default(60)
    .describe('After how many minutes without a request it ends, too.'),
  FLEET_KEPT_MESSAGE_DAYS: daysKept(30).describe('For how many days messages are kept that no service asked for.'),
  FLEET_INBOX_DAYS: daysKept(LEAST_INBOX_DAYS, LEAST_INBOX_DAYS).describe(
    'For how many days a message of a dock that comes again is known.',
  ),
  FLEET_OUTBOX_DAYS: daysKept(7).describe('For how many days facts are kept after they were published.'),
});

export type Config = z.output<typeof schema>;

/** What each kind of broker needs, and what would be left out in silence. */
const OF_BROKER = {
  mosquitto: { needs: ['MQTT_URL', 'MQTT_USER', 'MQTT_PASSWORD'], not: ['FLEET_BROKER_SECRET'] },
  asks: { needs: ['FLEET_BROKER_SECRET'], not: ['MQTT_URL', 'MQTT_USER', 'MQTT_PASSWORD'] },
} as const;

const checked = schema.superRefine((config, context) => {
  const { needs, not } = OF_BROKER[config.FLEET_BROKER];
  const told = (name: keyof Config, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message });
  for (const name of needs) {
    if (config[name] === undefined) told(name, `is required with FLEET_BROKER=${config.FLEET_BROKER}`);
  }
  for (const name of not) {
    if (config[name] !== undefined) told(name, `would not be used with FLEET_BROKER=${config.FLEET_BROKER}`);
  }
});

export const SETTINGS = { program: 'fleet-service', prefix: 'FLEET_', schema: checked } satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'migrate.js': z.object({ DATABASE_URL: peer('postgres').describe('The database to migrate, as the user migrator.') }),
  'create-api-key.js': z.object(databaseSettings('fleet')),
  'create-setup-link.js': z.object({
    DATABASE_URL: peer('postgres').describe('The database that gets the link, as the user fleet_api.'),
  }),
  'verify-audit.js': z.object(databaseSettings('fleet')),
  'import-docks.js': z.object({
    ...databaseSettings('fleet'),
    FLEET_DOCK_MQTT_URL: dockMqttUrl,
  }),
} satisfies CommandSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

import { Secret } from '@aerie/kernel';
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

const dockMqttUrl = z.url().describe('Address of the broker as docks reach it; told to whoever registers a dock.');

/** A text that is no address stands for itself: it is refused for that. */
const hostOf = (text: string): string => (URL.canParse(text) ? new URL(text).hostname : text);

/** Browsers make passkeys for pages with TLS, and for this machine itself. */
const passkeyOrigin = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be an origin: no path, no slash at its end',
  )
  .refine((text) => text.startsWith('https:') || hostOf(text) === 'localhost', 'must be https, or http://localhost');

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
  FLEET_SIGN_IN_RETURN_URL: z
    .url({ protocol: /^https?$/ })
    .refine((text) => !/[?#@]|\/$/.test(text), 'must have no query, no fragment, no user and no slash at its end')
    .optional()
    .describe(
      'Begin of the redirect URIs of identity providers: `https://<host>/api/v1/sign-in/oidc/callback` as browsers reach it, or ' +
        'a page of the same host that passes the query on. `/<id of the organisation>` follows. Requires FLEET_KEY_FILE.',
    ),
  FLEET_PASSKEY_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(passkeyOrigin).min(1).max(8))
    .refine((origins) => new Set(origins.map(hostOf)).size === 1, 'must have one host')
    .optional()
    .describe(
      'Origins of the pages on which people sign in, with commas between them: `https://aerie.example.com`. Their host is in ' +
        'each passkey; with another one no passkey works. Without it there are no passkeys.',
    ),
  FLEET_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Keys that seal client secrets of identity providers and pending sign-ins: `<name> <32 bytes in base64>` a line, the ' +
        'first one seals. Requires FLEET_SIGN_IN_RETURN_URL.',
    ),
  FLEET_PRIVATE_PROVIDERS: z
    .enum(['allowed', 'refused'])
    .default('refused')
    .describe('Whether identity providers may be in a private network, or on loopback without TLS.'),
  FLEET_PROVIDER_CA_FILE: authorities().describe(
    'Certificate authorities of identity providers, in addition to the public ones.',
  ),
  FLEET_HMS_TEXTS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The vendor's words for its alarm codes: its hms.json, at most 16 MiB, keys such as `fpv_tip_0x16100083` with `en` and `zh`. " +
        'Without it alarms have codes alone.',
    ),
  FLEET_ALARM_DAYS: daysKept(180).describe('For how many days alarms are kept after they were over.'),
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

/** Sign-in by identity providers needs both. */
const SIGN_IN = ['FLEET_SIGN_IN_RETURN_URL', 'FLEET_KEY_FILE'] as const;

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
  const [returnUrl, keyFile] = SIGN_IN;
  for (const [one, other] of [
    [returnUrl, keyFile],
    [keyFile, returnUrl],
  ] as const) {
    if (config[one] === undefined && config[other] !== undefined) told(one, `is required with ${other}`);
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

import {
  type CommandSettings,
  type ProgramSettings,
  listenSettings,
  peer,
  readSettings,
  secret,
  streamReplicas,
  traceSettings,
} from '@aerie/service-host';
import { z } from 'zod';

const natsUrl = peer('nats').describe('nats://user:password@host:port, or tls://');
const replicas = streamReplicas().describe('How many servers of a NATS cluster keep each stream; 3 in production.');

const schema = z.object({
  INGRESS_HTTP_PORT: z.coerce.number().int().describe('Port of health and metrics.'),
  INGRESS_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  ...listenSettings,
  INGRESS_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  NATS_URL: natsUrl,
  NATS_STREAM_REPLICAS: replicas,
  MQTT_URL: peer('broker').describe('mqtt://host:port or mqtts://host:port'),
  MQTT_USER: secret(z.string().min(1)).describe('User that may join the share group below and write downlinks.'),
  MQTT_PASSWORD: secret(z.string().min(1)).describe('Its password.'),
  INGRESS_ID: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,40}$/)
    .describe('Stable name of this replica, e.g. its StatefulSet ordinal. Two replicas with one id evict each other.'),
  INGRESS_CONTROL_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(32)
    .default(8)
    .describe('MQTT connections for control messages. Each has up to 32 messages in work, of one dock one at a time.'),
  INGRESS_KEEPALIVE_SECONDS: z.coerce
    .number()
    .int()
    .min(2)
    .max(60)
    .default(5)
    .describe('MQTT keepalive; also bounds how late a write of a frozen process can be.'),
  INGRESS_STORE_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(5_000)
    .default(1_500)
    .describe('How long JetStream may take to store one message before its PUBACK is given up. Far below keepalive.'),
  INGRESS_DOCK_MESSAGES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(5)
    .max(1_000_000)
    .default(100)
    .describe('Messages that this replica takes of one device in a second, over a minute. Docks send about five.'),
  INGRESS_DOCK_BYTES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(524_288)
    .describe('The same in bytes. Docks send about ten thousand.'),
  INGRESS_FLOOD_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(60)
    .describe(
      'A device floods that was far over its budget for so long: in each second at least half of what it sent was over it. ' +
        'fleet-service then cuts its dock off at the broker, once it has no flight.',
    ),
  INGRESS_RETAINED_SWEEP_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(600_000)
    .describe('How often copies that the broker keeps of retained messages are removed.'),
});

export type Config = z.output<typeof schema>;

export const SETTINGS = { program: 'mqtt-ingress', prefix: 'INGRESS_', schema } satisfies ProgramSettings;

/** What the commands beside it read. */
export const COMMANDS = {
  'narrow-topology.js': z.object({ NATS_URL: natsUrl, NATS_STREAM_REPLICAS: replicas }),
  'replay-dead-letters.js': z.object({ NATS_URL: natsUrl }),
} satisfies CommandSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

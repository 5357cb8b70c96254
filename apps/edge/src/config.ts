import { type ProgramSettings, authorities, listenSettings, readSettings, traceSettings } from '@aerie/service-host';
import { z } from 'zod';

/** `https://console.example.com, http://localhost:5173`, as browsers send them. */
const origins = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
  .pipe(z.array(z.string().refine(isOrigin, 'must be origins like https://console.example.com, separated by commas')));

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

const SERVICES = ['EDGE_MISSION_URL', 'EDGE_FLEET_URL', 'EDGE_LOG_URL', 'EDGE_CREDENTIAL_URL'] as const;
const service = (name: string) => z.url({ protocol: /^https?$/ }).describe(`${name}, http://host:port or https://`);

const schema = z.object({
  EDGE_HTTP_PORT: z.coerce.number().int().describe('The one public port; over TLS where LISTEN_CERT_FILE is given.'),
  EDGE_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  ...listenSettings,
  EDGE_LOOPBACK_PORT: z.coerce
    .number()
    .int()
    .optional()
    .describe('Beside TLS: plain HTTP at 127.0.0.1, for callers of this machine. Default: none.'),
  EDGE_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  EDGE_MISSION_URL: service('mission-service'),
  EDGE_FLEET_URL: service('fleet-service'),
  EDGE_LOG_URL: service('log-service'),
  EDGE_CREDENTIAL_URL: service('credential-service'),
  EDGE_CA_FILE: authorities(SERVICES).describe(
    'Authorities of the services, beside the public ones, where they speak TLS.',
  ),
  EDGE_CORS_ORIGINS: origins.describe(
    'Origins whose pages may call the API in a browser, separated by commas. Default: none.',
  ),
});

export type Config = z.output<typeof schema>;

const checked = schema.superRefine((config, context) => {
  if (config.EDGE_LOOPBACK_PORT === undefined || config.LISTEN_CERT_FILE !== undefined) return;
  const message = 'is for a listener beside TLS: give LISTEN_CERT_FILE, or take it away';
  context.addIssue({ code: 'custom', path: ['EDGE_LOOPBACK_PORT'], message });
});

export const SETTINGS = { program: 'edge', prefix: 'EDGE_', schema: checked } satisfies ProgramSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

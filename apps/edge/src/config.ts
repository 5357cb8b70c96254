import { type ProgramSettings, readSettings, traceSettings } from '@aerie/service-host';
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

const schema = z.object({
  EDGE_HTTP_PORT: z.coerce.number().int().describe('The one public port.'),
  EDGE_HTTP_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  EDGE_LOG_LEVEL: z.string().default('info').describe('fatal, error, warn, info, debug or trace.'),
  ...traceSettings,
  EDGE_MISSION_URL: z.url().describe('mission-service, http://host:port'),
  EDGE_FLEET_URL: z.url().describe('fleet-service, http://host:port'),
  EDGE_LOG_URL: z.url().describe('log-service, http://host:port'),
  EDGE_CREDENTIAL_URL: z.url().describe('credential-service, http://host:port'),
  EDGE_CORS_ORIGINS: origins.describe(
    'Origins whose pages may call the API in a browser, separated by commas. Default: none.',
  ),
});

export type Config = z.output<typeof schema>;

export const SETTINGS = { program: 'edge', prefix: 'EDGE_', schema } satisfies ProgramSettings;

export const loadConfig = (env: NodeJS.ProcessEnv): Config => readSettings(SETTINGS, env);

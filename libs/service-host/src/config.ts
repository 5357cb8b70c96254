import { InvalidError, Peer, Secret, schemaProblems, withoutWords } from '@aerie/kernel';
import type { TraceSettings } from '@aerie/observability';
import { z } from 'zod';
import { noteCertificates } from './certificates-in-use.js';
import { listener, namesRead, peer, readSettingFiles, secret } from './setting-files.js';
import { unknownSettings } from './unknown-settings.js';

/** The program that reads, where what it does not know is refused as well. */
export interface Reader {
  readonly program: string;
  readonly prefix: string;
}

/**
 * Reads the environment, and the files that it names, once. All that is wrong is said in one message, by the names of the
 * variables.
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
  reader?: Reader,
): z.output<Schema> {
  const unknown = reader === undefined ? [] : unknownSettings(env, { ...reader, names: namesRead(schema) });
  const { input, problems, told, tls, certificates } = readSettingFiles(schema, env);
  const parsed = schema.safeParse(input, { error: withoutWords });
  if (parsed.success && problems.length + unknown.length === 0) {
    const settings = parsed.data as Record<string, unknown>;
    for (const [name, files] of tls) {
      const plain = settings[name];
      if (plain instanceof Peer) settings[name] = new Peer(plain.url, files);
    }
    for (const [name, pem] of certificates) noteCertificates(name, pem);
    return parsed.data;
  }
  const issues = parsed.error?.issues ?? [];
  const wrong = schemaProblems(issues, { input, what: 'environment' }).filter(({ field }) => !told.has(field));
  const fields = [...wrong, ...problems, ...unknown];
  const list = fields.map(({ field, message }) => `  ${field}: ${message}`).join('\n');
  throw new InvalidError('invalid_config', `the configuration cannot be used:\n${list}`, { fields });
}

const WRONG_USE = 2;

/** The same for a command that people type: what is wrong is said in plain lines, and it ends with exit code 2. */
export function readCommandConfig<Schema extends z.ZodType>(schema: Schema, reader?: Reader): z.output<Schema> {
  try {
    return readConfig(schema, process.env, reader);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(WRONG_USE);
  }
}

/** Ten years. */
const MOST_DAYS = 3_650;

/** A setting for how many days something is kept; fewer than `least` are refused at start. */
export const daysKept = (fallback: number, least = 1) =>
  z.coerce.number().int().min(least).max(MOST_DAYS).default(fallback);

/** For how many whole months audit records are kept. */
export const auditMonths = () =>
  z.coerce.number().int().min(1).max(120).default(24).describe('For how many whole months audit records are kept.');

/** How many servers of a NATS cluster keep each stream. [NATS: five at most] */
export const streamReplicas = () => z.coerce.number().int().min(1).max(5).default(1);

/**
 * How many proxies stand between callers and a service: where a request comes from is what the outermost of them wrote into
 * `X-Forwarded-For`. By number and not by network: callers of a site often have addresses of the same private networks as
 * its proxies, and could write there what they like.
 */
export const proxyHops = () =>
  z.coerce
    .number()
    .int()
    .min(0)
    .max(5)
    .default(0)
    .describe('How many proxies stand before the API; 0: X-Forwarded-For is not believed.');

/** What the listeners of a program show, those of HTTP and of gRPC. */
export const listenSettings = {
  LISTEN_CERT_FILE: listener().describe(
    'Certificate that HTTP and gRPC show, PEM, with those between it and its authority. With it nothing is plain. Default: all is.',
  ),
};

/** What one caller may have of each replica of a service, requests a second; ten seconds of it may come at once. */
export const requestLimits = {
  HTTP_REQUESTS_PER_SECOND_PER_KEY: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(100)
    .describe('Requests a second with one key, at each replica; ten seconds of it may come at once. 0: no limit.'),
  HTTP_REQUESTS_PER_SECOND_PER_ORGANISATION: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(300)
    .describe('The same for all keys of one organisation together.'),
};

/** Where spans go, and how many. */
export const traceSettings = {
  TRACES_ENDPOINT: peer('traces')
    .optional()
    .describe(
      'Collector of traces, OTLP over HTTP: https://host:4318; /v1/traces is added. Default: nothing is traced.',
    ),
  TRACES_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe(
      'Share of missions and requests that are traced. The same for all programs, or parts of traces are missing.',
    ),
};

/** The same as its reader wants it. */
export const tracesOf = (config: z.output<z.ZodObject<typeof traceSettings>>): TraceSettings => ({
  collector: config.TRACES_ENDPOINT,
  share: config.TRACES_SHARE,
});

/** The database of a service: one address, and the users of its two roles. docs/operate/database.md tells of them. */
export const databaseSettings = (schema: string) => ({
  DATABASE_URL: peer('postgres').describe(`postgres://${schema}_api:password@host:port/database`),
  DATABASE_ENGINE_PASSWORD: secret(
    z
      .string()
      .min(1)
      .transform((text) => new Secret(text)),
  ).describe(`Password of ${schema}_engine, the user for all that nobody has asked for.`),
});

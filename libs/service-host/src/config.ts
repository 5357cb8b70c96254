import { isIP } from 'node:net';
import { InvalidError, Peer, schemaProblems, withoutWords } from '@aerie/kernel';
import { z } from 'zod';
import { readSettingFiles } from './setting-files.js';

/**
 * Reads the environment, and the files that it names, once. All that is wrong is said in one message, by the names of the
 * variables.
 */
export function readConfig<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  const { input, problems, told, tls } = readSettingFiles(schema, env);
  const parsed = schema.safeParse(input, { error: withoutWords });
  if (parsed.success && problems.length === 0) {
    const settings = parsed.data as Record<string, unknown>;
    for (const [name, files] of tls) {
      const plain = settings[name];
      if (plain instanceof Peer) settings[name] = new Peer(plain.url, files);
    }
    return parsed.data;
  }
  const issues = parsed.error?.issues ?? [];
  const wrong = schemaProblems(issues, { input, what: 'environment' }).filter(({ field }) => !told.has(field));
  const fields = [...wrong, ...problems];
  const list = fields.map(({ field, message }) => `  ${field}: ${message}`).join('\n');
  throw new InvalidError('invalid_config', `the configuration cannot be used:\n${list}`, { fields });
}

const WRONG_USE = 2;

/** The same for a command that people type: what is wrong is said in plain lines, and it ends with exit code 2. */
export function readCommandConfig<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  try {
    return readConfig(schema, process.env);
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

/** How many servers of a NATS cluster keep each stream. [NATS: five at most] */
export const streamReplicas = () => z.coerce.number().int().min(1).max(5).default(1);

/** Names of networks that Express knows. */
const NAMED_NETWORKS: readonly string[] = ['loopback', 'linklocal', 'uniquelocal'];

function isNetwork(text: string): boolean {
  if (NAMED_NETWORKS.includes(text)) return true;
  const [address = '', bits = '0', ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

/**
 * Proxies whose `X-Forwarded-For` is believed: without them the address of a caller behind a proxy is that of the proxy.
 * Addresses, networks, or `loopback`, `linklocal` and `uniquelocal`, separated by commas.
 */
export const trustedProxies = () =>
  z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .pipe(
      z
        .array(
          z
            .string()
            .refine(isNetwork, `must be addresses, networks, or ${NAMED_NETWORKS.join(', ')}, separated by commas`),
        )
        .max(50),
    )
    .describe('Proxies whose X-Forwarded-For is believed, separated by commas. Default: none.');

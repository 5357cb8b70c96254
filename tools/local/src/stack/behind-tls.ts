import type { RunCertificates } from '../infrastructure/run-certificates.js';

/** By the setting that says where a server is: how those begin that say how it is verified. */
const PEERS = { DATABASE_URL: 'DATABASE', NATS_URL: 'NATS', REDIS_URL: 'REDIS', MQTT_URL: 'MQTT' } as const;
/** They open something. Each may be given as a file, `NAME_FILE`. */
const SECRETS = [
  ...['DATABASE_URL', 'DATABASE_ENGINE_PASSWORD', 'NATS_URL', 'REDIS_URL', 'MQTT_PASSWORD', 'FLEET_BROKER_SECRET'],
  ...['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'OBJECT_STORE_ACCESS_KEY_ID', 'OBJECT_STORE_SECRET_ACCESS_KEY'],
] as const;

/**
 * The settings of a program that connects over TLS and gets what is secret as files, which are written here. `listens`: it
 * shows the certificate of the run as well.
 */
export function behindTls(
  certificates: RunCertificates,
  program: string,
  env: Readonly<Record<string, string>>,
  { listens = false }: { readonly listens?: boolean } = {},
): Readonly<Record<string, string>> {
  const client = certificates.clientOf(program);
  const settings: Record<string, string> = { ...env };
  for (const [setting, prefix] of Object.entries(PEERS)) {
    if (env[setting] === undefined) continue;
    settings[`${prefix}_CA_FILE`] = certificates.ca;
    settings[`${prefix}_CERT_FILE`] = client.cert;
    settings[`${prefix}_KEY_FILE`] = client.key;
  }
  for (const name of SECRETS) {
    const secret = env[name];
    if (secret === undefined) continue;
    delete settings[name];
    settings[`${name}_FILE`] = certificates.keepSecret(program, name, secret);
  }
  if (listens) {
    settings['LISTEN_CERT_FILE'] = certificates.server.cert;
    settings['LISTEN_KEY_FILE'] = certificates.server.key;
  }
  return settings;
}

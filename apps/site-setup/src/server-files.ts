import type { BusUser, RedisProgram } from '@aerie/bus-contract';
import { BROKER_SETTINGS, SERVER_SUITES, limitedNatsUser, natsAuthorization, redisUser } from '@aerie/server-settings';

/** Where a container sees its own folder of the site. */
const OWN = '/run/aerie';
const TLS_FILES = { ca: `${OWN}/ca.crt`, certificate: `${OWN}/server.crt`, key: `${OWN}/server.key` };

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** One user for each program, who may do what that does; each has to show a certificate of the site too. */
export const natsConf = (
  logins: readonly (Login & { readonly user: BusUser })[],
): string => `# Written at each start of the site.
listen: "0.0.0.0:4222"
server_name: aerie
jetstream { store_dir: "/data", max_file_store: 2GB }
tls {
  ca_file: "${TLS_FILES.ca}"
  cert_file: "${TLS_FILES.certificate}"
  key_file: "${TLS_FILES.key}"
  verify: true
  timeout: 5
}
${natsAuthorization(logins.map(({ user, password }) => limitedNatsUser(user, `"${password}"`)))}`;

/** Nothing is thrown away when memory is short, and a restart finds what was there. */
export const VALKEY_CONF = `# Written at each start of the site.
port 0
tls-port 6379
tls-ca-cert-file ${TLS_FILES.ca}
tls-cert-file ${TLS_FILES.certificate}
tls-key-file ${TLS_FILES.key}
tls-auth-clients yes
tls-ciphers ${SERVER_SUITES}
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
aclfile ${OWN}/users.acl
`;

export const valkeyUsers = (logins: readonly (Login & { readonly user: RedisProgram })[]): string =>
  ['user default off', ...logins.map(({ user, password }) => redisUser(user, password)), ''].join('\n');

/** Over the network with a password and a certificate of the site; inside the container with the password. */
export const PG_HBA_CONF = `# Written at each start of the site.
local   all all                scram-sha-256
hostssl all all 0.0.0.0/0      scram-sha-256 clientcert=verify-ca
hostssl all all ::/0           scram-sha-256 clientcert=verify-ca
`;

/** Our programs connect to 8884 with a certificate, docks to 8883 with their password. */
export const mosquittoConf = (plugin: string, securityFile: string, hasPlainListener: boolean): string =>
  [
    '# Written at each start of the site.',
    `plugin ${plugin}`,
    `plugin_opt_config_file ${securityFile}`,
    'allow_anonymous false',
    ...BROKER_SETTINGS,
    'persistence_location /mosquitto/data/',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    'log_type notice',
    'listener 8884',
    `cafile ${TLS_FILES.ca}`,
    `certfile ${TLS_FILES.certificate}`,
    `keyfile ${TLS_FILES.key}`,
    'require_certificate true',
    `ciphers ${SERVER_SUITES}`,
    'tls_version tlsv1.2',
    'listener 8883',
    'tls_version tlsv1.2',
    `certfile ${TLS_FILES.certificate}`,
    `keyfile ${TLS_FILES.key}`,
    // A dock that could choose its client id could take over the session of another dock, or of the ingress.
    'use_username_as_clientid true',
    ...(hasPlainListener ? ['listener 1883', 'use_username_as_clientid true'] : []),
    '',
  ].join('\n');

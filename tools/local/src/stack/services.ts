import path from 'node:path';
import { type SchemaName, roleOf } from '@aerie/persistence';
import { asRole } from '../infrastructure/database-roles.js';
import type { Infrastructure } from '../infrastructure/infrastructure.js';
import { behindTls } from './behind-tls.js';

export const SERVICE_NAMES = [
  'object-store',
  'mqtt-ingress',
  'fleet-service',
  'credential-service',
  'mission-service',
  'log-service',
  'edge',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export type ServicePorts = Readonly<
  Record<ServiceName | 'mission-grpc' | 'credential-grpc' | 'log-grpc', number> & {
    /** Where the edge speaks TLS. Its other port is for callers of this machine then. */
    readonly 'edge-tls'?: number;
  }
>;

export interface StorageKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ServicePlan {
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Which variables of `env` say where it listens: the HTTP port first. */
  readonly portVariables: readonly string[];
  /** Answers 200 once the service can do its work. */
  readonly readyUrl: string;
}

const BUCKET = 'aerie';
const REGION = 'us-east-1';
/** What keys for docks are cut from: uploads below the folders of organisations. */
const DOCK_ROLE = {
  arn: 'arn:aws:iam:::role/dock-upload',
  maxDurationSeconds: 43_200,
  policy: {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: [`arn:aws:s3:::${BUCKET}/org/*`],
      },
    ],
  },
};
const PORT_VARIABLE = /_PORT$/;

/** Where the key lies that seals secrets of organisations: it stays as long as the database does. */
export const keyFileOf = (directory: string): string => path.join(directory, 'credential.keys');

/** What programs are told of the servers. */
export type Servers = Pick<
  Infrastructure,
  | 'databaseUrl'
  | 'databasePasswords'
  | 'redisUrls'
  | 'natsUrls'
  | 'mqttUrl'
  | 'dockMqttUrl'
  | 'logins'
  | 'askingSecret'
  | 'certificates'
  | 'directory'
> & {
  /** Programs of an earlier release have one user of the database: the database as that user. */
  readonly oneUserUrl?: string;
};

/**
 * The same servers with one user of NATS and one of Redis that may do everything, for programs of a release that knew no other. Those
 * of this release beside them have it too, as at a site that limits its users once the upgrade is over. With `oneUserUrl` there is one
 * user of PostgreSQL as well.
 */
export function withoutWalls(servers: Servers, oneUserUrl?: string): Servers {
  const { databaseUrl, databasePasswords, mqttUrl, dockMqttUrl, logins, askingSecret, directory, certificates } =
    servers;
  const everybody = <Urls extends object>(urls: Urls, url: string): Urls =>
    Object.fromEntries(Object.keys(urls).map((user) => [user, url])) as Urls;
  const natsUrls = everybody(servers.natsUrls, servers.natsUrls.aerie);
  const redisUrls = everybody(servers.redisUrls, servers.redisUrls.default);
  const same = { databaseUrl, databasePasswords, mqttUrl, dockMqttUrl, logins, askingSecret, directory, certificates };
  return { ...same, redisUrls, natsUrls, ...(oneUserUrl === undefined ? {} : { oneUserUrl }) };
}

export interface Addresses {
  /** Of the programs themselves. */
  readonly own: string;
  readonly storage: string;
}

const LOOPBACK = '127.0.0.1';

/** The edge stands before it. Tests and benchmarks ask with one key what hundreds of people would. */
const AT_THE_API = {
  HTTP_PROXY_HOPS: '1',
  HTTP_REQUESTS_PER_SECOND_PER_KEY: '2000',
  HTTP_REQUESTS_PER_SECOND_PER_ORGANISATION: '2000',
};

/** How each program of ours is started on this machine. Secrets that it reads from files are written. What it can do is in its own config.ts. */
export function servicePlans(
  root: string,
  infrastructure: Servers,
  ports: ServicePorts,
  storage: StorageKeys,
  addresses: Addresses = { own: LOOPBACK, storage: LOOPBACK },
): Readonly<Record<ServiceName, ServicePlan>> {
  const { redisUrls, natsUrls, mqttUrl, dockMqttUrl, logins, askingSecret, directory, certificates } = infrastructure;
  const scheme = certificates === undefined ? 'http' : 'https';
  const s3 = {
    S3_ENDPOINT: `http://${addresses.storage}:${ports['object-store']}`,
    S3_REGION: REGION,
    S3_BUCKET: BUCKET,
    S3_ACCESS_KEY_ID: storage.accessKeyId,
    S3_SECRET_ACCESS_KEY: storage.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
  };
  const plan = (name: ServiceName, env: Record<string, string>): ServicePlan => {
    const given = addresses.own === LOOPBACK ? env : { ...env, ...listenAt(addresses.own, env) };
    const listens = name !== 'object-store';
    // People reach the edge here without TLS, too.
    const spoken = listens && name !== 'edge' ? scheme : 'http';
    return {
      script: path.join(root, 'apps', name, 'dist', 'main.js'),
      env: certificates === undefined ? given : behindTls(certificates, name, given, { listens }),
      portVariables: Object.keys(env).filter((variable) => PORT_VARIABLE.test(variable)),
      readyUrl: `${spoken}://${addresses.own}:${ports[name]}/readyz`,
    };
  };
  return {
    'object-store': plan('object-store', {
      OBJECT_STORE_PORT: String(ports['object-store']),
      OBJECT_STORE_DIRECTORY: path.join(directory, 'objects'),
      OBJECT_STORE_ACCESS_KEY_ID: storage.accessKeyId,
      OBJECT_STORE_SECRET_ACCESS_KEY: storage.secretAccessKey,
      OBJECT_STORE_REGION: REGION,
      OBJECT_STORE_BUCKETS: BUCKET,
      OBJECT_STORE_ROLES: JSON.stringify([DOCK_ROLE]),
    }),
    'mqtt-ingress': plan('mqtt-ingress', {
      INGRESS_HTTP_PORT: String(ports['mqtt-ingress']),
      INGRESS_ID: 'local-0',
      NATS_URL: natsUrls['mqtt-ingress'],
      MQTT_URL: mqttUrl,
      MQTT_USER: logins.ingress.username,
      MQTT_PASSWORD: logins.ingress.password,
    }),
    'fleet-service': plan('fleet-service', {
      FLEET_HTTP_PORT: String(ports['fleet-service']),
      ...AT_THE_API,
      ...databaseSettings(infrastructure, 'fleet'),
      REDIS_URL: redisUrls['fleet-service'],
      NATS_URL: natsUrls['fleet-service'],
      ...(askingSecret === undefined
        ? {
            MQTT_URL: mqttUrl,
            MQTT_USER: logins['fleet-service'].username,
            MQTT_PASSWORD: logins['fleet-service'].password,
          }
        : { FLEET_BROKER: 'asks', FLEET_BROKER_SECRET: askingSecret }),
      // Browsers make passkeys for this name, and for no address.
      FLEET_PASSKEY_ORIGINS: `http://localhost:${ports.edge}`,
      FLEET_DOCK_MQTT_URL: dockMqttUrl,
    }),
    'credential-service': plan('credential-service', {
      CREDENTIAL_HTTP_PORT: String(ports['credential-service']),
      ...AT_THE_API,
      CREDENTIAL_GRPC_PORT: String(ports['credential-grpc']),
      CREDENTIAL_KEY_FILE: keyFileOf(directory),
      // A storage of this machine is a storage.
      CREDENTIAL_PRIVATE_ENDPOINTS: 'allowed',
      ...databaseSettings(infrastructure, 'credential'),
      NATS_URL: natsUrls['credential-service'],
      STS_ROLE_ARN: DOCK_ROLE.arn,
      IAM_ENDPOINT: s3.S3_ENDPOINT,
      ...s3,
    }),
    'mission-service': plan('mission-service', {
      MISSION_HTTP_PORT: String(ports['mission-service']),
      ...AT_THE_API,
      MISSION_GRPC_PORT: String(ports['mission-grpc']),
      ...databaseSettings(infrastructure, 'mission'),
      REDIS_URL: redisUrls['mission-service'],
      NATS_URL: natsUrls['mission-service'],
      ...s3,
    }),
    'log-service': plan('log-service', {
      LOG_HTTP_PORT: String(ports['log-service']),
      ...AT_THE_API,
      LOG_GRPC_PORT: String(ports['log-grpc']),
      ...databaseSettings(infrastructure, 'log'),
      REDIS_URL: redisUrls['log-service'],
      NATS_URL: natsUrls['log-service'],
    }),
    edge: plan('edge', {
      ...(certificates === undefined
        ? { EDGE_HTTP_PORT: String(ports.edge) }
        : {
            EDGE_HTTP_PORT: String(ports['edge-tls']),
            EDGE_LOOPBACK_PORT: String(ports.edge),
            EDGE_CA_FILE: certificates.ca,
          }),
      EDGE_MISSION_URL: `${scheme}://${addresses.own}:${ports['mission-service']}`,
      EDGE_FLEET_URL: `${scheme}://${addresses.own}:${ports['fleet-service']}`,
      EDGE_LOG_URL: `${scheme}://${addresses.own}:${ports['log-service']}`,
      EDGE_CREDENTIAL_URL: `${scheme}://${addresses.own}:${ports['credential-service']}`,
    }),
  };
}

/** What a service is told of its database. */
export function databaseSettings(
  { databaseUrl, databasePasswords, oneUserUrl }: Pick<Servers, 'databaseUrl' | 'databasePasswords' | 'oneUserUrl'>,
  schema: SchemaName,
): { readonly DATABASE_URL: string; readonly DATABASE_ENGINE_PASSWORD: string } {
  return {
    DATABASE_URL: oneUserUrl ?? asRole(databaseUrl, roleOf(schema, 'api'), databasePasswords),
    DATABASE_ENGINE_PASSWORD: databasePasswords[roleOf(schema, 'engine')] ?? '',
  };
}

/** By themselves they listen on loopback alone. */
const listenAt = (address: string, env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.keys(env)
      .filter((variable) => PORT_VARIABLE.test(variable))
      .map((variable) => [variable.replace(PORT_VARIABLE, '_HOST'), address]),
  );

import { SERVICE_NAMES } from './services.js';
import type { Stack } from './stack.js';

/** Where everything of a running Aerie is, and what opens it. */
export function runOf(stack: Stack) {
  const { infrastructure, apiUrl, apiTlsUrl, apiKey, objectStoreUrl, pids } = stack;
  const { databaseUrl, redisUrl, natsUrl, mqttUrl, dockMqttUrl, logins, certificates } = infrastructure;
  return {
    apiUrl,
    apiTlsUrl,
    apiKey,
    // By what servers are verified, and what is shown to those that ask.
    tls: certificates && { ca: certificates.ca, ...certificates.clientOf('person') },
    mqttUrl,
    dockMqttUrl,
    mqttUser: logins.observer.username,
    mqttPassword: logins.observer.password,
    natsUrl,
    databaseUrl,
    redisUrl,
    objectStoreUrl,
    grpc: {
      mission: stack.grpcAddress,
      credential: stack.credentialGrpcAddress,
      log: stack.logGrpcAddress,
    },
    services: stack.serviceUrls,
    metrics: Object.fromEntries(SERVICE_NAMES.map((name) => [name, stack.metricsUrl(name)])),
    pids: { ...pids, start: process.pid },
  };
}

/** As `npm start` writes it to `run.json`. */
export type Run = ReturnType<typeof runOf>;

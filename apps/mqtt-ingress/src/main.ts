import { runService, tracesOf } from '@aerie/service-host';
import { AppModule, Ingress } from './app.module.js';
import { loadConfig } from './config.js';

const config = loadConfig(process.env);

await runService({
  name: 'mqtt-ingress',
  httpHost: config.INGRESS_HTTP_HOST,
  httpPort: config.INGRESS_HTTP_PORT,
  logLevel: config.INGRESS_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  nats: config.NATS_URL,
  compose: (host) => AppModule.compose(config, host),
  start: async (app) => app.get(Ingress).start(),
  ready: (app) => app.get(Ingress).ready,
});

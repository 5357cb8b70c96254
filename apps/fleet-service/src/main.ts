import { configureHttp } from '@aerie/http-api';
import { runService, tracesOf, withIntake } from '@aerie/service-host';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { BrokerConnection } from './docks/broker/broker-connection.js';
import { ROUTES } from './openapi/fleet-api.js';

const config = loadConfig(process.env);

await runService({
  name: 'fleet-service',
  httpHost: config.FLEET_HTTP_HOST,
  httpPort: config.FLEET_HTTP_PORT,
  logLevel: config.FLEET_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  nats: config.NATS_URL,
  compose: (host) => AppModule.compose(config, host),
  http: (app, host) => {
    const { door } = app.get(BrokerConnection);
    // Before the API: a broker asks at paths that are none of it, and many times a second.
    if (door !== undefined) app.use(door);
    configureHttp(app, host.logger, ROUTES, config.HTTP_PROXY_HOPS);
  },
  ...withIntake,
});

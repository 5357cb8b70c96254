import { LOG_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { configureHttp } from '@aerie/http-api';
import { runService, tracesOf, withIntake } from '@aerie/service-host';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { ROUTES } from './openapi/log-api.js';

const config = loadConfig(process.env);

await runService({
  name: 'log-service',
  httpHost: config.LOG_HTTP_HOST,
  httpPort: config.LOG_HTTP_PORT,
  logLevel: config.LOG_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  grpc: {
    host: config.LOG_GRPC_HOST,
    port: config.LOG_GRPC_PORT,
    package: 'log.v1',
    protoFolder: PROTO_FOLDER,
    protoFile: LOG_PROTO,
  },
  compose: (host) => AppModule.compose(config, host),
  http: (app, host) => configureHttp(app, host.logger, ROUTES, config.HTTP_PROXY_HOPS),
  ...withIntake,
});

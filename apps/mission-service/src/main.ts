import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { configureHttp } from '@aerie/http-api';
import { runService, tracesOf, withIntake } from '@aerie/service-host';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { ROUTES } from './openapi/mission-api.js';

const config = loadConfig(process.env);

await runService({
  name: 'mission-service',
  httpHost: config.MISSION_HTTP_HOST,
  httpPort: config.MISSION_HTTP_PORT,
  logLevel: config.MISSION_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  nats: config.NATS_URL,
  grpc: {
    host: config.MISSION_GRPC_HOST,
    port: config.MISSION_GRPC_PORT,
    package: 'mission.v1',
    protoFolder: PROTO_FOLDER,
    protoFile: MISSION_PROTO,
  },
  compose: (host) => AppModule.compose(config, host),
  http: (app, host) => configureHttp(app, host.logger, ROUTES, config.HTTP_PROXY_HOPS),
  ...withIntake,
});

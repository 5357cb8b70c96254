import { CREDENTIAL_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { configureHttp } from '@aerie/http-api';
import { runService, tracesOf, withIntake } from '@aerie/service-host';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';
import { ROUTES } from './openapi/credential-api.js';

const config = loadConfig(process.env);

await runService({
  name: 'credential-service',
  httpHost: config.CREDENTIAL_HTTP_HOST,
  httpPort: config.CREDENTIAL_HTTP_PORT,
  logLevel: config.CREDENTIAL_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  nats: config.NATS_URL,
  grpc: {
    host: config.CREDENTIAL_GRPC_HOST,
    port: config.CREDENTIAL_GRPC_PORT,
    package: 'credential.v1',
    protoFolder: PROTO_FOLDER,
    protoFile: CREDENTIAL_PROTO,
  },
  compose: (host) => AppModule.compose(config, host),
  http: (app, host) => configureHttp(app, host.logger, ROUTES, config.HTTP_PROXY_HOPS),
  ...withIntake,
});

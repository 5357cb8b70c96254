import { Module } from '@nestjs/common';
import { hostModule, runService, tracesOf } from '@aerie/service-host';
import { allowOrigins } from './allow-origins.js';
import { loadConfig } from './config.js';
import { describeWholeApi, documentsOf } from './describe-whole-api.js';
import { nameRequest } from './name-request.js';
import { createProxy } from './proxy.js';
import { routesOf } from './routes.js';
import { stayWithTls } from './stay-with-tls.js';

const config = loadConfig(process.env);
const { EDGE_CA_FILE: authorities } = config;

@Module({})
class AppModule {}

await runService({
  name: 'edge',
  httpHost: config.EDGE_HTTP_HOST,
  httpPort: config.EDGE_HTTP_PORT,
  loopbackPort: config.EDGE_LOOPBACK_PORT,
  logLevel: config.EDGE_LOG_LEVEL,
  tls: config.LISTEN_CERT_FILE,
  traces: tracesOf(config),
  compose: async (host) => ({ module: AppModule, imports: [hostModule(host)] }),
  http: (app, host) => {
    app.use(nameRequest);
    app.use(stayWithTls);
    app.use(allowOrigins(config.EDGE_CORS_ORIGINS));
    app.use(describeWholeApi(documentsOf(config), host.logger, { authorities }));
    app.use(createProxy(routesOf(config), host.logger, { authorities }));
  },
});

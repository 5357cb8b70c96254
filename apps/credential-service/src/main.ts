import { runService } from '@aerie/service-host';
import { AppModule } from './app.module.js';
import { loadConfig } from './config.js';

const config = loadConfig(process.env);

await runService({
  name: 'credential-service',
  httpHost: config.CREDENTIAL_HTTP_HOST,
  httpPort: config.CREDENTIAL_HTTP_PORT,
  logLevel: config.CREDENTIAL_LOG_LEVEL,
  natsUrl: config.NATS_URL,
  compose: (host) => Promise.resolve(AppModule.compose(config, host)),
});

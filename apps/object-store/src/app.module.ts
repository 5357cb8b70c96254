import { type DynamicModule, Module } from '@nestjs/common';
import { errorChain } from '@aerie/kernel';
import { type Host, hostModule } from '@aerie/service-host';
import { composeStore } from './compose.js';
import type { Config } from './config.js';
import { S3Server } from './s3/s3-server.js';

const SWEEP_INTERVAL_MS = 3_600_000;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics } = host;
    const requests = metrics.counter('object_store_requests_total', 'S3 requests answered.', ['method', 'status']);
    const { server, uploads } = await composeStore({
      directory: config.OBJECT_STORE_DIRECTORY,
      buckets: config.OBJECT_STORE_BUCKETS,
      region: config.OBJECT_STORE_REGION,
      accessKeyId: config.OBJECT_STORE_ACCESS_KEY_ID,
      secretAccessKey: config.OBJECT_STORE_SECRET_ACCESS_KEY,
      roles: config.OBJECT_STORE_ROLES,
      corsOrigins: config.OBJECT_STORE_CORS_ORIGINS,
      limits: {
        maxObjectBytes: config.OBJECT_STORE_MAX_OBJECT_BYTES,
        maxPartBytes: config.OBJECT_STORE_MAX_PART_BYTES,
      },
      clock: { nowMs: () => Date.now() + config.OBJECT_STORE_CLOCK_AHEAD_MS },
      logger,
      observe: (method, status) => requests.inc({ method, status: String(status) }),
    });
    const sweep = (): void =>
      void uploads.sweep().then(
        (swept) => logger.debug({ swept }, 'cleared away old uploads'),
        (error: unknown) => logger.warn({ err: errorChain(error) }, 'failed to clear away old uploads'),
      );
    setInterval(sweep, SWEEP_INTERVAL_MS).unref();
    return {
      module: AppModule,
      imports: [hostModule(host)],
      providers: [{ provide: S3Server, useValue: server }],
    };
  }
}

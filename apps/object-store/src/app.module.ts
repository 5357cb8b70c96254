import { type DynamicModule, Module } from '@nestjs/common';
import { type Host, hostModule } from '@aerie/service-host';
import { type Config } from './config.js';
import { ConfiguredCredentials } from './s3/credentials.js';
import { S3Server } from './s3/s3-server.js';
import { SignatureCheck } from './s3/signature.js';
import { DiskStore } from './storage/disk-store.js';

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics } = host;
    const store = await DiskStore.open(config.OBJECT_STORE_DIRECTORY, config.OBJECT_STORE_BUCKETS);
    const credentials = new ConfiguredCredentials({
      accessKeyId: config.OBJECT_STORE_ACCESS_KEY_ID,
      secretAccessKey: config.OBJECT_STORE_SECRET_ACCESS_KEY,
    });
    const signatures = new SignatureCheck(credentials, config.OBJECT_STORE_REGION, { nowMs: () => Date.now() });
    const requests = metrics.counter('object_store_requests_total', 'S3 requests answered.', ['method', 'status']);
    const observe = (method: string, status: number): void => requests.inc({ method, status: String(status) });
    const server = new S3Server({ store, signatures, logger, observe });
    return {
      module: AppModule,
      imports: [hostModule(host)],
      providers: [{ provide: S3Server, useValue: server }],
    };
  }
}

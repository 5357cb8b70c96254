import { type DynamicModule, Module } from '@nestjs/common';
import { type Host, hostModule } from '@aerie/service-host';
import { type Config } from './config.js';
import { DownloadsController } from './downloads/downloads.controller.js';
import { PresignDownload } from './downloads/presign-download.js';
import { RefusalFilter } from './downloads/refusal.filter.js';

@Module({})
export class AppModule {
  static compose(config: Config, host: Host): DynamicModule {
    const storage = {
      endpoint: config.S3_ENDPOINT,
      region: config.S3_REGION,
      bucket: config.S3_BUCKET,
      accessKeyId: config.S3_ACCESS_KEY_ID,
      secretAccessKey: config.S3_SECRET_ACCESS_KEY,
      forcePathStyle: config.S3_FORCE_PATH_STYLE,
    };
    const clock = { nowMs: () => Date.now() };
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [DownloadsController],
      providers: [RefusalFilter, { provide: PresignDownload, useValue: new PresignDownload(storage, clock) }],
    };
  }
}

import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { presignDownloadQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { RefusalFilter } from './refusal.filter.js';
import { type Download, PresignDownload } from './presign-download.js';

@Controller()
@UseFilters(RefusalFilter)
export class DownloadsController {
  constructor(private readonly presignDownload: PresignDownload) {}

  @MessagePattern(presignDownloadQuestion.subject)
  presign(@Payload() data: unknown): Promise<Download> {
    return this.presignDownload.presign(readAsk(presignDownloadQuestion, data));
  }
}

import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { presignDownloadQuestion, uploadKeysQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { dockStorageOf } from './dock/dock-storage.js';
import { type Download, PresignDownload } from './downloads/presign-download.js';
import { IssueUploadKeys } from './keys/issue-upload-keys.js';
import { RefusalFilter } from './refusal.filter.js';

/** What other services ask. Answers hold secrets: they cross the private bus and are never stored. */
@Controller()
@UseFilters(RefusalFilter)
export class QuestionsController {
  constructor(
    private readonly presignDownload: PresignDownload,
    private readonly issueUploadKeys: IssueUploadKeys,
  ) {}

  @MessagePattern(presignDownloadQuestion.subject)
  presign(@Payload() data: unknown): Promise<Download> {
    const { organisationId, objectKey, lifetimeSeconds, saveAs, dockSn, askedBy, reason } = readAsk(
      presignDownloadQuestion,
      data,
    );
    return this.presignDownload.execute({
      ...{ organisationId, objectKey, lifetimeSeconds },
      ...(saveAs === undefined ? {} : { saveAs }),
      ...(dockSn === undefined ? {} : { dockSn }),
      ...{ askedBy: `service:${askedBy ?? 'unknown'}`, reason: reason ?? 'download' },
    });
  }

  @MessagePattern(uploadKeysQuestion.subject)
  async uploadKeys(@Payload() data: unknown) {
    const { organisationId, dockSn, uploadId, attempt, sizeBytes, askedBy, reason } = readAsk(uploadKeysQuestion, data);
    const { storage, prefix, keys } = await this.issueUploadKeys.execute({
      ...{ organisationId, dockSn, use: { kind: 'logs', uploadId, attempt }, sizeBytes },
      ...{ askedBy: `service:${askedBy}`, reason },
    });
    return {
      ...dockStorageOf(storage),
      prefix,
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey.reveal(),
      sessionToken: keys.sessionToken.reveal(),
      expiresAtMs: keys.expiresAtMs,
    };
  }
}

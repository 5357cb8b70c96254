import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  deleteObjectsQuestion,
  headObjectsQuestion,
  listObjectsQuestion,
  presignDownloadQuestion,
  uploadKeysQuestion,
} from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { RefusalFilter } from '@aerie/service-host';
import { dockStorageOf } from './dock/dock-storage.js';
import { type Download, PresignDownload } from './downloads/presign-download.js';
import { StoredObjects } from './objects/stored-objects.js';
import { IssueUploadKeys } from './keys/issue-upload-keys.js';

/** What other services ask. Answers hold secrets: they cross the private bus and are never stored. */
@Controller()
@UseFilters(RefusalFilter)
export class QuestionsController {
  constructor(
    private readonly presignDownload: PresignDownload,
    private readonly issueUploadKeys: IssueUploadKeys,
    private readonly storedObjects: StoredObjects,
  ) {}

  @MessagePattern(presignDownloadQuestion.subject)
  presign(@Payload() data: unknown): Promise<Download> {
    const { organisationId, objectKey, lifetimeSeconds, saveAs, dockSn, reachableBy, askedBy, reason } = readAsk(
      presignDownloadQuestion,
      data,
    );
    return this.presignDownload.execute({
      ...{ organisationId, objectKey, lifetimeSeconds, forService: reachableBy === 'service' },
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

  @MessagePattern(headObjectsQuestion.subject)
  async head(@Payload() data: unknown) {
    const { organisationId, objectKeys } = readAsk(headObjectsQuestion, data);
    return { objects: await this.storedObjects.head(organisationId, objectKeys) };
  }

  @MessagePattern(listObjectsQuestion.subject)
  async list(@Payload() data: unknown) {
    const { organisationId, prefix, limit } = readAsk(listObjectsQuestion, data);
    return { objects: await this.storedObjects.list(organisationId, prefix, limit) };
  }

  @MessagePattern(deleteObjectsQuestion.subject)
  async delete(@Payload() data: unknown) {
    const { organisationId, objectKeys } = readAsk(deleteObjectsQuestion, data);
    return { deletedKeys: await this.storedObjects.delete(organisationId, objectKeys) };
  }
}

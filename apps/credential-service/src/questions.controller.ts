import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  deleteObjectsQuestion,
  headObjectsQuestion,
  listObjectsQuestion,
  type PresignDownloadAsk,
  type PresignedDownload,
  presignDownloadQuestion,
  presignDownloadsQuestion,
  uploadKeysQuestion,
} from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { HostLogger, RefusalFilter, refusalOf } from '@aerie/service-host';
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
    private readonly host: HostLogger,
  ) {}

  @MessagePattern(presignDownloadQuestion.subject)
  presign(@Payload() data: unknown): Promise<Download> {
    return this.presignOne(readAsk(presignDownloadQuestion, data));
  }

  @MessagePattern(presignDownloadsQuestion.subject)
  async presignMany(@Payload() data: unknown): Promise<{ downloads: PresignedDownload[] }> {
    const { downloads } = readAsk(presignDownloadsQuestion, data);
    return { downloads: await Promise.all(downloads.map((asked) => this.presignOrRefuse(asked))) };
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

  private presignOne({ reachableBy, askedBy, reason, ...asked }: PresignDownloadAsk): Promise<Download> {
    const { organisationId, objectKey, lifetimeSeconds, saveAs, dockSn } = asked;
    return this.presignDownload.execute({
      ...{ organisationId, objectKey, lifetimeSeconds, forService: reachableBy === 'service' },
      ...(saveAs === undefined ? {} : { saveAs }),
      ...(dockSn === undefined ? {} : { dockSn }),
      ...{ askedBy: `service:${askedBy ?? 'unknown'}`, reason: reason ?? 'download' },
    });
  }

  /** One of many: what is wrong with it is no reason to refuse the others. */
  private async presignOrRefuse(asked: PresignDownloadAsk): Promise<PresignedDownload> {
    try {
      return await this.presignOne(asked);
    } catch (error) {
      const { code, message } = refusalOf(error, this.host.logger);
      return { refusal: { code, message } };
    }
  }
}

import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { type Principal, callerName } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readInput } from '@aerie/http-api';
import { PresignDownload } from '../downloads/presign-download.js';
import { PresignUpload } from './presign-upload.js';
import { type Upload, downloadInput, uploadInput } from './upload.schema.js';

/** Addresses with which people and programs of an organisation upload and download single objects. */
@Controller('api/v1/storage')
@UseGuards(ApiKeyGuard)
export class TransfersController {
  constructor(
    private readonly presignUpload: PresignUpload,
    private readonly presignDownload: PresignDownload,
  ) {}

  @Post('uploads')
  @HttpCode(200)
  upload(@Caller() caller: Principal, @Body() body: unknown): Promise<Upload> {
    return this.presignUpload.execute(caller.organisationId, callerName(caller), readInput(uploadInput, body));
  }

  @Post('downloads')
  @HttpCode(200)
  async download(@Caller() caller: Principal, @Body() body: unknown): Promise<{ url: string; expiresAt: string }> {
    const { objectKey, saveAs, lifetimeSeconds } = readInput(downloadInput, body);
    const { url, expiresAtMs } = await this.presignDownload.execute({
      ...{ organisationId: caller.organisationId, objectKey, lifetimeSeconds },
      ...{ saveAs: saveAs ?? objectKey.split('/').at(-1) ?? 'object' },
      ...{ askedBy: callerName(caller), reason: 'download' },
    });
    return { url, expiresAt: new Date(expiresAtMs).toISOString() };
  }
}

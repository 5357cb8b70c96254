import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, type Page, pageQuery, readCursor, readInput, NotAudited } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { HostLogger } from '@aerie/service-host';
import { pipeline } from 'node:stream/promises';
import { type Response } from 'express';
import { DownloadFile } from './download-file.js';
import { FileReadModel, type FileView, fileView, unknownFile } from './file.read-model.js';
import { fileQuery, newBundle } from './file.schema.js';
import { WriteBundle } from './write-bundle.js';

@Controller('api/v1/log-files')
@UseGuards(ApiKeyGuard)
export class FilesController {
  constructor(
    private readonly files: FileReadModel,
    private readonly downloadFile: DownloadFile,
    private readonly writeBundle: WriteBundle,
    private readonly host: HostLogger,
  ) {}

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<FileView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    return this.files.list(caller, readInput(fileQuery, query, 'query'), limit, readCursor(cursor));
  }

  /** What is kept of each dock. */
  @Get('usage')
  async usage(@Caller() caller: Principal) {
    return { items: await this.files.usage(caller) };
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<FileView> {
    if (!isUuid(id)) throw unknownFile(id);
    return fileView(await this.files.find(caller, id));
  }

  /** An address that works for a quarter of an hour. */
  @Get(':id/download')
  async download(@Caller() caller: Principal, @Param('id') id: string) {
    if (!isUuid(id)) throw unknownFile(id);
    const file = await this.files.find(caller, id);
    const { url, expiresAtMs, saveAs } = await this.downloadFile.forCaller(caller, file);
    return { url, expiresAt: new Date(expiresAtMs).toISOString(), saveAs };
  }

  /** Several files and a manifest as one ZIP. */
  @Post('bundle')
  @HttpCode(200)
  @NotAudited()
  async bundle(@Caller() caller: Principal, @Body() body: unknown, @Res() response: Response): Promise<void> {
    const { fileIds } = readInput(newBundle, body);
    const zip = await this.writeBundle.open(caller, await this.files.findAll(caller, fileIds));
    response.status(200).type('application/zip').attachment('logs.zip');
    // The status is out already: an archive that cannot be read any more cuts the answer, and no client takes it for whole.
    await pipeline(zip, response).catch((error: unknown) =>
      this.host.logger.warn({ err: error, files: fileIds.length }, 'a bundle ended early'),
    );
  }
}

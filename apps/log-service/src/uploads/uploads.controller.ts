import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import {
  ApiKeyGuard,
  Caller,
  type Page,
  etagOf,
  pageQuery,
  readCursor,
  readIdempotencyKey,
  readIfMatch,
  readInput,
  AuditedWithItsChange,
} from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { CancelUpload, unknownUpload } from './cancel-upload.js';
import { RequestUpload } from './request-upload.js';
import { UploadReadModel } from './store/upload.read-model.js';
import { type UploadView } from './store/upload.view.js';
import { readNewUpload, uploadQuery } from './upload.input.js';

@Controller('api/v1/log-uploads')
@UseGuards(ApiKeyGuard)
export class UploadsController {
  constructor(
    private readonly requestUpload: RequestUpload,
    private readonly cancelUpload: CancelUpload,
    private readonly uploads: UploadReadModel,
  ) {}

  /** Accepts an upload. With an `Idempotency-Key`, a repeat gets the first answer and makes no second upload. */
  @Post()
  @AuditedWithItsChange()
  async create(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const request = { route: 'POST /log-uploads', key: readIdempotencyKey(key), body };
    const answer = await this.requestUpload.answerOnce(caller, request, () =>
      this.requestUpload.execute(caller, readNewUpload(body), request),
    );
    const { id, version } = JSON.parse(answer.body) as UploadView;
    response.status(answer.status).location(`/api/v1/log-uploads/${id}`).setHeader('ETag', etagOf(version));
    response.type('application/json').send(answer.body);
  }

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<UploadView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    const filter = readInput(uploadQuery, query, 'query');
    return this.uploads.list(caller, filter, limit, readCursor(cursor));
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string) {
    const upload = isUuid(id) ? await this.uploads.find(caller, id) : undefined;
    if (upload === undefined) throw unknownUpload(id);
    return upload;
  }

  /** Everything that happened to an upload, in order. */
  @Get(':id/timeline')
  async timeline(@Caller() caller: Principal, @Param('id') id: string) {
    const timeline = isUuid(id) ? await this.uploads.timeline(caller, id) : undefined;
    if (timeline === undefined) throw unknownUpload(id);
    return timeline;
  }

  /** Calls an upload off. Idempotent; a dock that exports is told, and until it has stopped the upload is `stopping`. */
  @Post(':id/cancel')
  @HttpCode(200)
  @AuditedWithItsChange()
  async cancel(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<UploadView> {
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownUpload(id);
    return this.cancelUpload.forCaller(caller, id, version);
  }
}

import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { type Principal } from '@aerie/bus-contract';
import {
  AuditCalls,
  GrpcCaller,
  GrpcKeyGuard,
  GrpcProblemFilter,
  Permitted,
  type Message,
  defined,
  timestampOf,
  StreamsOfPermitted,
} from '@aerie/grpc-api';
import { pageQuery, readCursor, readIdempotencyKey, readInput, AuditedWithItsChange } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { LOG_MODULES } from '@aerie/log-core';
import { DownloadFile } from '../files/download-file.js';
import { FileReadModel, type FileRow, fileView, unknownFile } from '../files/file.read-model.js';
import { fileQuery } from '../files/file.schema.js';
import { AskForList } from '../listings/ask-for-list.js';
import { newListing } from '../listings/listing.schema.js';
import { CancelUpload, unknownUpload } from '../uploads/cancel-upload.js';
import { RequestUpload } from '../uploads/request-upload.js';
import { UploadReadModel } from '../uploads/store/upload.read-model.js';
import type { UploadView } from '../uploads/store/upload.view.js';
import { readNewUpload, uploadQuery } from '../uploads/upload.input.js';
import { idOf, textOf, versionOf } from './requests.js';
import {
  bodyOfListing,
  bodyOfUpload,
  fileMessage,
  listingMessage,
  queryOfFiles,
  queryOfUploads,
  uploadMessage,
  usageMessage,
} from './uploads.messages.js';

/** Logs of single docks for other programs; each call is read by the very checks of its HTTP route. */
@Controller()
@UseGuards(GrpcKeyGuard)
@UseInterceptors(StreamsOfPermitted, AuditCalls)
@UseFilters(GrpcProblemFilter)
export class UploadsGrpcController {
  constructor(
    private readonly askForList: AskForList,
    private readonly requestUpload: RequestUpload,
    private readonly cancelUpload: CancelUpload,
    private readonly uploads: UploadReadModel,
    private readonly files: FileReadModel,
    private readonly downloadFile: DownloadFile,
  ) {}

  @GrpcMethod('LogService', 'ListDockLogs')
  @Permitted('logs.collect')
  async listDock(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { modules = LOG_MODULES } = readInput(newListing, bodyOfListing(message), 'request');
    const dock = await this.requestUpload.findDock(caller, textOf(message['sn']) ?? '', 'sn');
    return { logs: listingMessage(await this.askForList.execute(caller, dock, modules)) };
  }

  @GrpcMethod('LogService', 'CreateLogUpload')
  @Permitted('logs.collect')
  @AuditedWithItsChange()
  async create(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const body = bodyOfUpload(message['upload']);
    const key = readIdempotencyKey(textOf(message['idempotencyKey']));
    const request = { route: 'POST /log-uploads', key, body };
    const answer = await this.requestUpload.answerOnce(caller, request, () =>
      this.requestUpload.execute(caller, readNewUpload(body), request),
    );
    return { upload: uploadMessage(JSON.parse(answer.body) as UploadView) };
  }

  @GrpcMethod('LogService', 'GetLogUpload')
  @Permitted('logs.read')
  async find(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const id = idOf(message);
    const upload = isUuid(id) ? await this.uploads.find(caller, id) : undefined;
    if (upload === undefined) throw unknownUpload(id);
    return { upload: uploadMessage(upload) };
  }

  @GrpcMethod('LogService', 'ListLogUploads')
  @Permitted('logs.read')
  async list(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const query = queryOfUploads(message);
    const { limit, cursor } = readInput(pageQuery, query, 'request');
    const filter = readInput(uploadQuery, query, 'request');
    const page = await this.uploads.list(caller, filter, limit, readCursor(cursor));
    return defined({ uploads: page.items.map(uploadMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('LogService', 'CancelLogUpload')
  @Permitted('logs.collect')
  @AuditedWithItsChange()
  async cancel(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const [id, version] = [idOf(message), versionOf(message)];
    if (!isUuid(id)) throw unknownUpload(id);
    return { upload: uploadMessage(await this.cancelUpload.forCaller(caller, id, version)) };
  }

  @GrpcMethod('LogService', 'ListLogFiles')
  @Permitted('logs.read')
  async listFiles(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const query = queryOfFiles(message);
    const { limit, cursor } = readInput(pageQuery, query, 'request');
    const filter = readInput(fileQuery, query, 'request');
    const page = await this.files.list(caller, filter, limit, readCursor(cursor));
    return defined({ files: page.items.map(fileMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('LogService', 'GetLogFile')
  @Permitted('logs.read')
  async file(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    return { file: fileMessage(fileView(await this.row(message, caller))) };
  }

  @GrpcMethod('LogService', 'GetLogFileDownload')
  @Permitted('logs.read')
  async download(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const file = await this.row(message, caller);
    const { url, expiresAtMs, saveAs } = await this.downloadFile.forCaller(caller, file);
    return { url, expiresAt: timestampOf(new Date(expiresAtMs).toISOString()), saveAs };
  }

  @GrpcMethod('LogService', 'GetLogUsage')
  @Permitted('logs.read')
  async usage(_message: unknown, @GrpcCaller() caller: Principal): Promise<Message> {
    return { docks: (await this.files.usage(caller)).map(usageMessage) };
  }

  private row(message: Message, caller: Principal): Promise<FileRow> {
    const id = idOf(message);
    if (!isUuid(id)) throw unknownFile(id);
    return this.files.find(caller, id);
  }
}

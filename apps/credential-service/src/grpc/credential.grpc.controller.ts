import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { type Principal, callerName } from '@aerie/bus-contract';
import {
  AuditCalls,
  GrpcCaller,
  GrpcKeyGuard,
  GrpcProblemFilter,
  Permitted,
  type Message,
  defined,
  only,
  timestampOf,
  StreamsOfPermitted,
} from '@aerie/grpc-api';
import { pageQuery, readCursor, readInput, AuditedWithItsChange } from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import { RunDoctor } from '../doctor/run-doctor.js';
import { PresignDownload } from '../downloads/presign-download.js';
import { readIssueQuery } from '../ledger/issue.query.js';
import { Ledger } from '../ledger/ledger.js';
import { RevokeKeys } from '../revocation/revoke-keys.js';
import { revokeInput } from '../revocation/revocation.schema.js';
import { ChangeStorage } from '../storages/change-storage.js';
import { Outbound } from '@aerie/outbound';
import { readStorageInput } from '../storages/storage.input.js';
import { storageView } from '../storages/storage.schema.js';
import { Storages } from '../storages/storage-access.js';
import { PresignUpload } from '../uploads/presign-upload.js';
import { downloadInput, uploadInput } from '../uploads/upload.schema.js';
import {
  bodyOfStorage,
  bodyOfUpload,
  issueMessage,
  queryOfIssues,
  reportMessage,
  revocationMessage,
  storageMessage,
  uploadMessage,
} from './credential.messages.js';

/** The use cases of the HTTP API for other programs; each call is read by the very checks of its route. */
@Controller()
@UseGuards(GrpcKeyGuard)
@UseInterceptors(StreamsOfPermitted, AuditCalls)
@UseFilters(GrpcProblemFilter)
export class CredentialGrpcController {
  constructor(
    private readonly storages: Storages,
    private readonly changeStorage: ChangeStorage,
    private readonly outbound: Outbound,
    private readonly doctor: RunDoctor,
    private readonly ledger: Ledger,
    private readonly revokeKeys: RevokeKeys,
    private readonly presignUpload: PresignUpload,
    private readonly presignDownload: PresignDownload,
  ) {}

  @GrpcMethod('CredentialService', 'GetStorage')
  @Permitted('storage.read')
  async find(_message: unknown, @GrpcCaller() caller: Principal): Promise<Message> {
    return this.shown(caller);
  }

  @GrpcMethod('CredentialService', 'ReplaceStorage')
  @Permitted('storage.manage')
  @AuditedWithItsChange()
  async replace(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const storage = readStorageInput(bodyOfStorage(message['storage']), this.outbound);
    await this.changeStorage.replace(caller, storage, versionOf(message));
    return this.shown(caller);
  }

  @GrpcMethod('CredentialService', 'RemoveStorage')
  @Permitted('storage.manage')
  @AuditedWithItsChange()
  async remove(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    await this.changeStorage.remove(caller, versionOf(message));
    return this.shown(caller);
  }

  @GrpcMethod('CredentialService', 'ExamineStorage')
  @Permitted('storage.manage')
  async examine(_message: unknown, @GrpcCaller() caller: Principal): Promise<Message> {
    return { report: reportMessage(await this.doctor.execute(caller.organisationId)) };
  }

  @GrpcMethod('CredentialService', 'ListIssues')
  @Permitted('storage.read')
  async issues(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { filter, limit, cursor } = readIssueQuery(queryOfIssues(message));
    const page = await this.ledger.list(caller.organisationId, filter, limit, readCursor(cursor));
    return defined({ issues: page.items.map(issueMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('CredentialService', 'RevokeKeys')
  @Permitted('storage.manage')
  async revoke(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const asked = only(message, 'dockSn', 'formerDock', 'reason');
    const { dockSn = null, formerDock, reason } = readInput(revokeInput, asked, 'request');
    return { revocation: revocationMessage(await this.revokeKeys.execute(caller, { dockSn, formerDock, reason })) };
  }

  @GrpcMethod('CredentialService', 'ListRevocations')
  @Permitted('storage.read')
  async revocations(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const query = defined({ limit: message['pageSize'], cursor: message['pageToken'] });
    const { limit, cursor } = readInput(pageQuery, query, 'request');
    const page = await this.revokeKeys.list(caller.organisationId, limit, readCursor(cursor));
    return defined({ revocations: page.items.map(revocationMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('CredentialService', 'PresignUpload')
  @Permitted('storage.objects')
  async upload(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const request = readInput(uploadInput, bodyOfUpload(message), 'request');
    return uploadMessage(await this.presignUpload.execute(caller.organisationId, callerName(caller), request));
  }

  @GrpcMethod('CredentialService', 'PresignDownload')
  @Permitted('storage.objects')
  async download(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const body = only(message, 'objectKey', 'saveAs', 'lifetimeSeconds');
    const { objectKey, saveAs, lifetimeSeconds } = readInput(downloadInput, body, 'request');
    const { url, expiresAtMs } = await this.presignDownload.execute({
      ...{ organisationId: caller.organisationId, objectKey, lifetimeSeconds },
      ...{ saveAs: saveAs ?? objectKey.split('/').at(-1) ?? 'object' },
      ...{ askedBy: callerName(caller), reason: 'download' },
    });
    return { url, expiresAt: timestampOf(new Date(expiresAtMs).toISOString()) };
  }

  private async shown({ organisationId }: Principal): Promise<Message> {
    const access = await this.storages.of(organisationId);
    return { storage: storageMessage(storageView(access, access.provider.denialSupport)) };
  }
}

/** The version that the caller has seen; null where it said none. */
function versionOf(message: Message): number | null {
  const version = message['expectedVersion'];
  if (version === undefined || version === null) return null;
  if (Number.isInteger(version) && Number(version) >= 0) return Number(version);
  throw new InvalidError('invalid_input', 'the request is not valid', {
    fields: [{ field: 'expectedVersion', message: 'must be a version as Storage shows it' }],
  });
}

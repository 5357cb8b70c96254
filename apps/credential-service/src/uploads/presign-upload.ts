import { randomUUID } from 'node:crypto';
import { type Clock, InvalidError } from '@aerie/kernel';
import type { Ledger } from '../ledger/ledger.js';
import type { Storages } from '../storages/storage-access.js';
import type { Upload, UploadRequest } from './upload.schema.js';

/** Makes what uploads one object of a known size and type, from a browser or a program, without any key. */
export class PresignUpload {
  constructor(
    private readonly storages: Storages,
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** @throws InvalidError where the storage cannot hold the file to its size */
  async execute(organisationId: string, askedBy: string, request: UploadRequest): Promise<Upload> {
    const { method, name, contentType, sizeBytes, lifetimeSeconds } = request;
    const { provider, storage, version } = await this.storages.of(organisationId);
    if (storage.provider === 'ali' && method === 'PUT') {
      const message = 'must be POST here: an address of OSS does not say how large a file may be';
      throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'method', message }] });
    }
    const objectKey = `org/${organisationId}/uploads/${randomUUID()}/${name}`;
    const signedAtMs = Math.floor(this.clock.nowMs() / 1_000) * 1_000;
    const ask = { objectKey, contentType, sizeBytes, lifetimeSeconds, signedAtMs };
    const signed = await (method === 'PUT' ? provider.presignPut(ask) : provider.presignPost(ask));
    const expiresAtMs = signedAtMs + lifetimeSeconds * 1_000;
    this.ledger.note({
      ...{ organisationId, kind: 'upload', dockSn: null, objectPrefix: objectKey, actions: [method], askedBy },
      ...{ provider: storage.provider, storageVersion: version, accessKeyId: null, reason: 'upload', expiresAtMs },
    });
    return {
      method,
      ...signed,
      fields: { ...signed.fields },
      objectKey,
      expiresAt: new Date(expiresAtMs).toISOString(),
    };
  }
}

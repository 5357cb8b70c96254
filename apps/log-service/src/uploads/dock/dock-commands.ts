import { type SendAnswer, sendQuestion, uploadKeysQuestion } from '@aerie/bus-contract';
import {
  type DockProfile,
  type FileuploadStart,
  type Generation,
  type LogModuleCode,
  encodeService,
} from '@aerie/dji-protocol';
import { type LogFile, type LogModule, modulesOf } from '@aerie/log-core';
import { type NatsConnection, NoAnswerError, ask } from '@aerie/messaging';
import type { Order } from '../advance-upload.js';
import { type CommandEffect, commandFor } from './command-names.js';
import type { LockedUpload, UploadRow } from '../store/upload.row.js';

/** [Cloud API, remote logs] The two modules that there are. */
const CODE_OF: Readonly<Record<LogModule, LogModuleCode>> = { aircraft: '0', dock: '3' };
export const codeOf = (module: LogModule): LogModuleCode => CODE_OF[module];

export const profileOf = ({
  model,
  protocol_generation,
}: Pick<UploadRow, 'model' | 'protocol_generation'>): DockProfile => ({
  model,
  generation: protocol_generation as Generation,
});

/** The key that a dock is given for an archive. Each attempt has a prefix of its own, so that no key comes twice. */
export const objectKeyOf = (prefix: string, module: LogModule): string => `${prefix}${module}.tar`;

/** Keys for one attempt, as a dock is told. Secrets: they live from the answer to the message and nowhere else. */
export type UploadKeys = Awaited<ReturnType<DockCommands['issueKeys']>>;

/** Writes our orders in the dock's words, at the moment they are sent. */
export class DockCommands {
  constructor(private readonly connection: NatsConnection) {}

  /** Sends one command, once. `refused` is proven; anything that may have reached the broker is `unknown` or `written`. */
  async send(order: Order & { readonly effect: CommandEffect }, keys: UploadKeys | null): Promise<SendAnswer> {
    const { upload, tid, notAfterMs, effect } = order;
    let data: unknown;
    try {
      data = this.dataOf(order, keys);
    } catch (error) {
      // Nothing was given to anybody.
      return { outcome: 'refused', reason: error instanceof Error ? error.message : 'the command cannot be written' };
    }
    return this.write(upload.dock_sn, commandFor(effect), data, {
      tid,
      // All messages of one attempt share the bid; docks put it into their progress.
      bid: upload.attempt_id ?? upload.id,
      sentAtMs: upload.now.getTime(),
      notAfterMs,
    });
  }

  /** Asks a dock what it has, for a person who waits. */
  list(
    {
      dock,
      modules,
    }: {
      readonly dock: Pick<UploadRow, 'dock_sn' | 'model' | 'protocol_generation'>;
      readonly modules: readonly LogModule[];
    },
    envelope: Envelope,
  ): Promise<SendAnswer> {
    const data = encodeService('fileupload_list', { module_list: modules.map(codeOf) }, profileOf(dock));
    return this.write(dock.dock_sn, 'fileupload_list', data, envelope);
  }

  /** Keys for the archives that are not stored yet. Rejects when there are none to be had. */
  issueKeys(upload: LockedUpload) {
    const wanted = upload.files.filter(({ state }) => state === 'wanted');
    return ask(this.connection, uploadKeysQuestion, {
      organisationId: upload.organisation_id,
      dockSn: upload.dock_sn,
      uploadId: upload.id,
      attempt: upload.attempt,
      sizeBytes: wanted.reduce((sum, { expectedBytes }) => sum + expectedBytes, 0),
      askedBy: 'log-service',
      reason: `logs of upload ${upload.id}`,
    });
  }

  private dataOf({ effect, upload }: Order & { readonly effect: CommandEffect }, keys: UploadKeys | null) {
    const profile = profileOf(upload);
    switch (effect) {
      case 'sendList':
        return encodeService('fileupload_list', { module_list: modulesOf(upload.selection).map(codeOf) }, profile);
      case 'sendStart':
        if (keys === null) throw new Error('a start needs keys');
        return encodeService('fileupload_start', startOf(upload, keys), profile);
      case 'sendStop': {
        const modules = upload.files.filter(({ state }) => state === 'wanted').map(({ module }) => codeOf(module));
        return encodeService('fileupload_update', { status: 'cancel', module_list: modules }, profile);
      }
    }
  }

  private async write(sn: string, method: string, data: unknown, envelope: Envelope): Promise<SendAnswer> {
    try {
      return await ask(this.connection, sendQuestion, { sn, channel: 'services', method, data, ...envelope });
    } catch (error) {
      if (error instanceof NoAnswerError && error.noResponders)
        return { outcome: 'refused', reason: 'no ingress is there' };
      return { outcome: 'unknown', reason: error instanceof Error ? error.message : 'no answer' };
    }
  }
}

export interface Envelope {
  readonly tid: string;
  readonly bid: string;
  /** When it was decided, by the database's clock. */
  readonly sentAtMs: number;
  readonly notAfterMs: number;
}

function startOf(upload: LockedUpload, keys: UploadKeys): FileuploadStart {
  const deviceOf = ({ module }: LogFile): string | null => (module === 'dock' ? upload.dock_sn : upload.aircraft_sn);
  return {
    bucket: keys.bucket,
    endpoint: keys.endpoint,
    region: keys.region,
    provider: keys.provider,
    credentials: {
      access_key_id: keys.accessKeyId,
      access_key_secret: keys.secretAccessKey,
      security_token: keys.sessionToken,
      // [Cloud API, fileupload_start] An instant here, where the media reply has seconds of life (quirk L4).
      expire: keys.expiresAtMs,
    },
    file_store_dir: keys.prefix,
    file_type: 'text_log',
    params: {
      files: upload.files
        .filter(({ state }) => state === 'wanted')
        .map((file) => {
          const deviceSn = deviceOf(file);
          return {
            module: codeOf(file.module),
            object_key: objectKeyOf(keys.prefix, file.module),
            list: file.bootIndexes.map((bootIndex) => ({ boot_index: bootIndex })),
            ...(deviceSn === null ? {} : { device_sn: deviceSn }),
          };
        }),
    },
  };
}

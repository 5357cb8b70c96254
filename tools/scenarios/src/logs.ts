import { createHash } from 'node:crypto';
import { good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import type { World } from './world.js';

export interface LogUploadView {
  readonly id: string;
  readonly dockSn: string;
  readonly state: string;
  readonly final: boolean;
  readonly version: number;
  readonly attempt: number;
  readonly failures: number;
  readonly missionId: string | null;
  readonly cause: { readonly code: string; readonly dockResult: number | null; readonly advice: string | null } | null;
  readonly archives: readonly {
    readonly module: string;
    readonly bootIndexes: readonly number[];
    readonly state: string;
    readonly problem: { readonly code: string; readonly advice: string | null } | null;
  }[];
  readonly attempts: readonly {
    readonly number: number;
    readonly cause: { readonly code: string; readonly dockResult: number | null } | null;
  }[];
  readonly fileIds: readonly string[];
}

export interface LogFileView {
  readonly id: string;
  readonly uploadId: string;
  readonly dockSn: string;
  readonly module: string;
  readonly missionId: string | null;
  readonly attempt: number;
  readonly bootIndexes: readonly number[];
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly verifiedBy: string;
  readonly sha256: string | null;
  readonly deletedAt: string | null;
}

export interface ListingView {
  readonly dockSn: string;
  readonly modules: readonly {
    readonly module: string;
    readonly problem: { readonly code: string; readonly advice: string | null } | null;
    readonly files: readonly { readonly bootIndex: number; readonly sizeBytes: number }[];
  }[];
}

/** What a person does with logs, over the API. */
export class Logs {
  constructor(private readonly world: World) {}

  async list(sn: string): Promise<ListingView> {
    return good(await this.world.api.post<ListingView>(`/docks/${sn}/log-listings`, {}));
  }

  async request(sn: string, what: Record<string, unknown> = { latest: { count: 1 } }): Promise<LogUploadView> {
    return good(await this.world.api.post<LogUploadView>('/log-uploads', { dockSn: sn, ...what }));
  }

  async find(id: string): Promise<LogUploadView> {
    return good(await this.world.api.get<LogUploadView>(`/log-uploads/${id}`));
  }

  /** Waits until the upload has ended, in whatever way. */
  ended(id: string, withinMs = 60_000): Promise<LogUploadView> {
    return eventually(
      `log upload ${id} has ended`,
      async () => {
        const upload = await this.find(id);
        return upload.final ? upload : undefined;
      },
      withinMs,
    );
  }

  inState(id: string, state: string, withinMs = 20_000): Promise<LogUploadView> {
    return eventually(
      `log upload ${id} is ${state}`,
      async () => {
        const upload = await this.find(id);
        return upload.state === state ? upload : undefined;
      },
      withinMs,
    );
  }

  async filesOf(query: string): Promise<readonly LogFileView[]> {
    return good(await this.world.api.get<{ items: LogFileView[] }>(`/log-files?${query}`)).items;
  }

  /** The MD5 of what a person gets who downloads the file. */
  async downloadedMd5(id: string): Promise<string> {
    const { url } = good(await this.world.api.get<{ url: string }>(`/log-files/${id}/download`));
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the download was refused: ${response.status}`);
    return createHash('md5')
      .update(Buffer.from(await response.arrayBuffer()))
      .digest('hex');
  }
}

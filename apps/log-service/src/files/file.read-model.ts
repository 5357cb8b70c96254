import { type Page, type Position, notThere, toPage } from '@aerie/http-api';
import { NotFoundError } from '@aerie/kernel';
import type { LogModule, Proof } from '@aerie/log-core';
import { type ApiDatabase, type Reach, amongDocks, reachesDock } from '@aerie/persistence';

export interface FileRow {
  readonly id: string;
  readonly upload_id: string;
  readonly organisation_id: string;
  readonly dock_sn: string;
  readonly device_sn: string;
  readonly module: LogModule;
  readonly mission_id: string | null;
  readonly attempt: number;
  readonly boot_indexes: readonly number[];
  readonly object_key: string;
  readonly size_bytes: string;
  readonly etag: string;
  readonly fingerprint: string | null;
  readonly sha256: string | null;
  readonly proof: Proof;
  readonly stored_at: Date;
  readonly deleted_at: Date | null;
}

export type FileView = ReturnType<typeof fileView>;

export const fileView = (row: FileRow) => ({
  id: row.id,
  uploadId: row.upload_id,
  dockSn: row.dock_sn,
  deviceSn: row.device_sn === '' ? null : row.device_sn,
  module: row.module,
  missionId: row.mission_id,
  attempt: row.attempt,
  bootIndexes: row.boot_indexes,
  objectKey: row.object_key,
  sizeBytes: Number(row.size_bytes),
  fingerprint: row.fingerprint,
  sha256: row.sha256,
  verifiedBy: row.proof,
  storedAt: row.stored_at.toISOString(),
  deletedAt: row.deleted_at?.toISOString() ?? null,
});

export interface FileFilter {
  readonly dockSn?: string | undefined;
  readonly uploadId?: string | undefined;
  readonly missionId?: string | undefined;
  readonly module?: LogModule | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  readonly deleted: boolean;
}

/** Docks that one answer names, the largest first. */
const USAGE_LIMIT = 1_000;

/** Archives in the storage, for screens. */
export class FileReadModel {
  constructor(private readonly database: ApiDatabase) {}

  async list(reach: Reach, filter: FileFilter, limit: number, after: Position | null): Promise<Page<FileView>> {
    const rows = await this.database.of(reach).query<FileRow & { position: string }>(
      `SELECT *, to_char(stored_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM log.file
        WHERE organisation_id = $1
          AND ${amongDocks('$12')} AND ($2::text IS NULL OR dock_sn = $2) AND ($3::uuid IS NULL OR upload_id = $3)
          AND ($4::uuid IS NULL OR mission_id = $4) AND ($5::text IS NULL OR module = $5)
          AND ($6::timestamptz IS NULL OR stored_at >= $6) AND ($7::timestamptz IS NULL OR stored_at < $7)
          AND ($8 OR deleted_at IS NULL)
          AND ($9::timestamptz IS NULL OR (stored_at, id) < ($9::timestamptz, $10::uuid))
        ORDER BY stored_at DESC, id DESC LIMIT $11`,
      [
        ...[reach.organisationId, filter.dockSn ?? null, filter.uploadId ?? null, filter.missionId ?? null],
        ...[filter.module ?? null, filter.from ?? null, filter.until ?? null, filter.deleted],
        ...[after?.createdAt ?? null, after?.id ?? null, limit + 1, reach.dockSns],
      ],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), fileView);
  }

  async find(reach: Reach, id: string): Promise<FileRow> {
    const [row] = await this.database
      .of(reach)
      .query<FileRow>('SELECT * FROM log.file WHERE organisation_id = $1 AND id = $2', [...[reach.organisationId, id]]);
    if (row === undefined || !reachesDock(reach, row.dock_sn)) throw unknownFile(id);
    return row;
  }

  /** Several at once; throws NotFoundError naming the first that is not there. */
  async findAll(reach: Reach, ids: readonly string[]): Promise<readonly FileRow[]> {
    const rows = await this.database
      .of(reach)
      .query<FileRow>('SELECT * FROM log.file WHERE organisation_id = $1 AND id = ANY($2::uuid[])', [
        ...[reach.organisationId, ids],
      ]);
    const byId = new Map(rows.filter((row) => reachesDock(reach, row.dock_sn)).map((row) => [row.id, row]));
    return ids.map((id, index) => {
      const row = byId.get(id);
      if (row === undefined) throw unknownFile(id, `fileIds.${index}`);
      return row;
    });
  }

  /** What is kept of each dock. */
  async usage(reach: Reach) {
    const rows = await this.database
      .of(reach)
      .query<{ dock_sn: string; files: string; size_bytes: string; last_at: Date }>(
        `SELECT dock_sn, count(*) AS files, sum(size_bytes) AS size_bytes, max(stored_at) AS last_at
         FROM log.file WHERE organisation_id = $1 AND deleted_at IS NULL AND ${amongDocks('$3')}
        GROUP BY dock_sn ORDER BY sum(size_bytes) DESC, dock_sn LIMIT $2`,
        [reach.organisationId, USAGE_LIMIT, reach.dockSns],
      );
    return rows.map((row) => ({
      dockSn: row.dock_sn,
      files: Number(row.files),
      sizeBytes: Number(row.size_bytes),
      lastStoredAt: row.last_at.toISOString(),
    }));
  }
}

export const unknownFile = (id: string, field = 'id'): NotFoundError =>
  notThere({
    ...{ code: 'unknown_file', noun: 'log file', field, sent: id },
    advice: 'GET /api/v1/log-files lists them',
  });

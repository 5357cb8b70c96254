import type { LogModule, Proof } from '@aerie/log-core';
import type { Tx } from '@aerie/persistence';
import type { LockedUpload } from './upload.row.js';

/** An archive as it was seen in the storage. */
export interface SeenFile {
  readonly id: string;
  readonly module: LogModule;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly fingerprint: string | null;
  readonly sha256: string | null;
  readonly proof: Proof;
}

/** Keeps archives that were verified; the row outlives the object. */
export async function keepFiles(tx: Tx, upload: LockedUpload, files: readonly SeenFile[]): Promise<void> {
  const written = files.map((file) => {
    const { bootIndexes = [] } = upload.files.find(({ module }) => module === file.module) ?? {};
    const deviceSn = file.module === 'aircraft' ? (upload.aircraft_sn ?? '') : upload.dock_sn;
    return tx.run(
      `INSERT INTO log.file (id, upload_id, organisation_id, dock_sn, device_sn, module, mission_id, attempt,
                             boot_indexes, object_key, size_bytes, etag, fingerprint, sha256, proof)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        ...[file.id, upload.id, upload.organisation_id, upload.dock_sn, deviceSn, file.module, upload.attached_to],
        ...[upload.attempt, JSON.stringify(bootIndexes), file.objectKey, file.sizeBytes, file.etag],
        ...[file.fingerprint, file.sha256, file.proof],
      ],
    );
  });
  await Promise.all(written);
}

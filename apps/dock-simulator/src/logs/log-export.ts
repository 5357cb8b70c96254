import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import type { DockContext } from '../context.js';
import type { LogFault } from '../fault-words.js';
import { resultCodes } from '../result-codes.js';
import { ObjectUploader } from '../storage/object-uploader.js';
import type { StorageAccess } from '../storage/storage-access.js';
import type { LogArchive } from './log-archive.js';
import type { LogModule } from './log-boots.js';
import { type FileOutcome, uploadArchive, type UploadTrouble } from './log-file.js';
import { isOver, type LogStatus, statusOfJob, type ToldFile } from './log-words.js';

export interface ExportPlan {
  readonly bid: string;
  readonly access: StorageAccess;
  readonly files: readonly PlannedFile[];
  readonly faults: ReadonlySet<LogFault>;
}

export interface PlannedFile {
  readonly module: LogModule;
  readonly deviceSn: string;
  readonly key: string;
  readonly bootIndexes: readonly number[];
  readonly archive: LogArchive;
}

export interface ExportPorts {
  /** Simulated seconds per real second, now. */
  readonly speed: () => number;
  readonly tell: (files: readonly ToldFile[]) => void;
  /** The first file is about to be uploaded. May end the job. */
  readonly onUploading: () => void;
  /** Once, unless the job is stopped. */
  readonly onEnd: (status: LogStatus) => void;
}

/** Simulated time, whatever the size. */
const PULL_MS = 10_000;
const ZIP_MS = 5_000;

interface Progress {
  readonly plan: PlannedFile;
  status: LogStatus;
  result: number;
  fingerprint: string;
  finishedAtMs: number;
  loadedBytes: number;
  phaseBeganMs: number;
  /** In real time; 0 where the size says how far it is. */
  phaseMs: number;
}

/** One export: each file is pulled, packed and uploaded, one after another. */
export class LogExport {
  private readonly files: readonly Progress[];
  private readonly ending = new AbortController();
  private uploading = false;

  constructor(
    private readonly context: DockContext,
    readonly plan: ExportPlan,
    private readonly ports: ExportPorts,
  ) {
    this.files = plan.files.map((file) => ({
      plan: file,
      ...{ status: 'file_pull', result: resultCodes.ok, fingerprint: '', finishedAtMs: 0 },
      ...{ loadedBytes: 0, phaseBeganMs: performance.now(), phaseMs: Infinity },
    }));
  }

  get status(): LogStatus {
    return statusOfJob(this.files);
  }

  get bid(): string {
    return this.plan.bid;
  }

  start(): void {
    if (!this.ending.signal.aborted) void this.run();
  }

  /** Ends it where it is. What was uploaded of a file stays in the storage as parts. */
  stop(): void {
    this.ending.abort();
    for (const file of this.files) if (!isOver(file.status)) file.status = 'canceled';
  }

  tell(): void {
    this.ports.tell(this.files.map((file) => this.told(file)));
  }

  private async run(): Promise<void> {
    const uploader = new ObjectUploader(this.plan.access);
    const telling = setInterval(() => this.tell(), this.context.settings.progressIntervalMs);
    for (const file of this.files) {
      await this.export(file, uploader);
      if (this.ending.signal.aborted) break;
      // The last one is told of with the end of the job.
      if (!isOver(this.status)) this.tell();
    }
    clearInterval(telling);
    uploader.close();
    if (!this.ending.signal.aborted) this.ports.onEnd(this.status);
  }

  private async export(file: Progress, uploader: ObjectUploader): Promise<void> {
    await this.spend(file, 'file_pull', PULL_MS);
    if (this.ending.signal.aborted) return;
    await this.spend(file, 'file_zip', ZIP_MS);
    if (this.ending.signal.aborted) return;
    this.enter(file, 'file_uploading', 0);
    if (!this.uploading) {
      this.uploading = true;
      this.ports.onUploading();
    }
    const { key, archive } = file.plan;
    const { signal } = this.ending;
    const onProgress = (loadedBytes: number): void => void (file.loadedBytes = loadedBytes);
    const trouble = this.troubleOf(file);
    const outcome = await uploadArchive({ uploader, key, archive, trouble, signal, onProgress });
    if (!signal.aborted) this.close(file, outcome);
  }

  private async spend(file: Progress, status: LogStatus, simulatedMs: number): Promise<void> {
    const phaseMs = simulatedMs / this.ports.speed();
    this.enter(file, status, phaseMs);
    await sleep(phaseMs, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }

  private enter(file: Progress, status: LogStatus, phaseMs: number): void {
    file.status = status;
    file.phaseBeganMs = performance.now();
    file.phaseMs = phaseMs;
    this.tell();
  }

  private close(file: Progress, outcome: FileOutcome): void {
    const { journal, clock } = this.context;
    const { module, key, bootIndexes } = file.plan;
    const { bid } = this.plan;
    if (outcome.kind === 'aborted') return;
    file.finishedAtMs = clock.nowMs();
    if (outcome.kind === 'failed') {
      const { result, code } = outcome;
      file.status = 'failed';
      file.result = result;
      journal.note('logFileFailed', { bid, module, key, result, code });
      return;
    }
    file.status = 'ok';
    file.fingerprint = outcome.fingerprint;
    file.loadedBytes = file.plan.archive.sizeBytes;
    if (!outcome.stored) return;
    const { sizeBytes, md5 } = outcome.stored;
    journal.add(journal.logUploads, { bid, module, key, sizeBytes, md5, bootIndexes });
    journal.note('logFileUploaded', { bid, module, key, sizeBytes, md5 });
  }

  private troubleOf(file: Progress): UploadTrouble {
    const { faults } = this.plan;
    if (faults.has('log-keys-expire')) return { breaksOffWith: resultCodes.logUploadRefused };
    const spared = this.files.length > 1 && file === this.files[0];
    if (faults.has('log-half') && !spared) return { breaksOffWith: resultCodes.logUploadBroken };
    return { short: faults.has('log-short'), pretends: faults.has('log-claims-ok') };
  }

  private told(file: Progress): ToldFile {
    const { module, deviceSn, key, archive } = file.plan;
    const { faults } = this.plan;
    const { status, result, fingerprint, finishedAtMs } = file;
    const isWrong = fingerprint !== '' && faults.has('log-fingerprint');
    return {
      ...{ module, deviceSn, status, result, finishedAtMs, sizeBytes: archive.sizeBytes },
      key: faults.has('log-elsewhere') ? `elsewhere/${key}` : key,
      fingerprint: isWrong ? createHash('md5').update(fingerprint).digest('hex') : fingerprint,
      percent: this.percentOf(file),
      bytesPerSecond: this.bytesPerSecondOf(file),
    };
  }

  private percentOf({ status, phaseBeganMs, phaseMs, loadedBytes, plan }: Progress): number {
    if (status === 'ok') return 100;
    const timed = status === 'file_pull' || status === 'file_zip';
    const part = timed ? (performance.now() - phaseBeganMs) / phaseMs : loadedBytes / plan.archive.sizeBytes;
    // All of it is for the phase that is over.
    return Math.min(99, Math.floor(part * 100));
  }

  private bytesPerSecondOf({ status, phaseBeganMs, loadedBytes }: Progress): number {
    if (status !== 'file_uploading') return 0;
    return Math.round(loadedBytes / Math.max((performance.now() - phaseBeganMs) / 1_000, 0.001));
  }
}

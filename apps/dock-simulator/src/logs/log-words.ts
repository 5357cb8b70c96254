import type { Dialect, Json } from '../wire.js';
import { AIRCRAFT, type LogBoot, type LogModule } from './log-boots.js';

/** Of a file, and of a job. The phases are in their order. */
export type LogStatus = 'file_pull' | 'file_zip' | 'file_uploading' | 'ok' | 'canceled' | 'failed';

const phases: readonly LogStatus[] = ['file_pull', 'file_zip', 'file_uploading'];

export function isOver(status: LogStatus): boolean {
  return !phases.includes(status);
}

/** A file of a job, as far as it is told. */
export interface ToldFile {
  readonly module: LogModule;
  readonly deviceSn: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly status: LogStatus;
  /** Of the present phase. */
  readonly percent: number;
  readonly result: number;
  /** Blank until it is uploaded. */
  readonly fingerprint: string;
  /** 0 until it is over. */
  readonly finishedAtMs: number;
  readonly bytesPerSecond: number;
}

/** The files of one module, as they are listed. */
export interface ToldModule {
  readonly module: LogModule;
  readonly deviceSn: string;
  readonly result: number;
  readonly boots: readonly LogBoot[];
}

/** A job is as far as the file that is least far, and over when all are. */
export function statusOfJob(files: readonly { readonly status: LogStatus }[]): LogStatus {
  const has = (status: LogStatus): boolean => files.some((file) => file.status === status);
  return phases.find(has) ?? (has('canceled') ? 'canceled' : has('failed') ? 'failed' : 'ok');
}

/** The body of `fileupload_progress`. */
export function progressData(files: readonly ToldFile[], dialect: Dialect): Json {
  return { output: { status: statusOfJob(files), ext: { files: files.map((file) => fileData(file, dialect)) } } };
}

function fileData(file: ToldFile, dialect: Dialect): Json {
  const old = dialect === 'seed';
  const step = phases.indexOf(file.status) + 1;
  return {
    module: file.module,
    size: file.sizeBytes,
    device_sn: file.deviceSn,
    key: file.key,
    fingerprint: file.fingerprint,
    progress: {
      current_step: step === 0 ? phases.length : step,
      // [Cloud API 1.3.0] the aircraft's element has none, and no page spells the percentage right.
      ...(old && file.module === AIRCRAFT ? {} : { total_step: phases.length }),
      [old ? 'prgress' : 'progress']: file.percent,
      finish_time: file.finishedAtMs,
      upload_rate: file.bytesPerSecond,
      result: file.result,
      status: file.status,
    },
  };
}

/** The body of the answer to `fileupload_list`. A boot that is not over ends now. */
export function listData(modules: readonly ToldModule[], dialect: Dialect, nowMs: number): Json {
  const files = modules.map(({ module, deviceSn, result, boots }) => ({
    device_sn: deviceSn,
    result,
    module,
    list: boots.map((boot, position) => bootData(boot, position === boots.length - 1, dialect, nowMs)),
  }));
  // [Cloud API 1.3.0] the table of the answer has no result.
  return dialect === 'seed' ? { files } : { result: 0, files };
}

function bootData(boot: LogBoot, isNewest: boolean, dialect: Dialect, nowMs: number): Json {
  const old = dialect === 'seed';
  const time = (atMs: number): number => (old ? Math.floor(atMs / 1_000) : atMs);
  return {
    boot_index: boot.bootIndex,
    start_time: time(boot.startMs),
    // [Cloud API 1.3.0] one entry of each example is spelt like this.
    [old && isNewest ? 'end_ime' : 'end_time']: time(boot.endMs ?? nowMs),
    size: boot.sizeBytes,
  };
}

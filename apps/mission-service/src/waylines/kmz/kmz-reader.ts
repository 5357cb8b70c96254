import { fileURLToPath } from 'node:url';
import { type FieldProblem, InvalidError, UnavailableError } from '@aerie/kernel';
import { Piscina } from 'piscina';
import { refuseAtOnce } from './read-kmz.js';
import { threadCpuMs } from './thread-cpu.js';
import type { Wayline } from './wayline.js';

export interface ParseTask {
  readonly bytes: Uint8Array;
  /** Four shared bytes, into which the thread writes its number at the operating system. */
  readonly threadId: SharedArrayBuffer;
}

export type WorkerAnswer =
  | { readonly wayline: Wayline }
  | { readonly refused: { readonly code: string; readonly message: string; readonly fields: readonly FieldProblem[] } };

export interface ParseLimits {
  /** CPU time of one file: a property of the file, however busy the machine is. */
  readonly cpuMs: number;
  /** And the time on the clock after which its sender does not wait any longer. */
  readonly waitMs: number;
  readonly heapMebibytes: number;
}

/** On one slow core 50,000 waypoints take 1.5 s, and the worst file that passes every other limit 3.6 s. */
const LIMITS: ParseLimits = { cpuMs: 8_000, waitMs: 30_000, heapMebibytes: 256 };
/** Uploads are rare; the flights that run beside them are not to wait for a core. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 32;
/** A thread that was needed once stays for the next file. */
const IDLE_MS = 60_000;
const LOOK_EVERY_MS = 100;

const ENTRY = fileURLToPath(new URL('./kmz.worker.js', import.meta.url));

/**
 * Reads route files in threads that stay warm. A thread is ended when a file needs too much: a file that is built to be
 * slow costs its sender an error, and nobody else anything.
 */
export class KmzReader {
  private readonly pool: Piscina<ParseTask, WorkerAnswer>;
  private inWork = 0;

  constructor(private readonly limits: ParseLimits = LIMITS) {
    this.pool = new Piscina({
      filename: ENTRY,
      minThreads: 0,
      maxThreads: MAX_AT_ONCE,
      idleTimeout: IDLE_MS,
      // It needs no secret of ours.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMebibytes, maxYoungGenerationSizeMb: 32 },
    });
    // Told to each sender as well.
    this.pool.on('error', () => undefined);
  }

  /**
   * @throws InvalidError `invalid_kmz` or `kmz_too_complex`; UnavailableError when too many files wait already, or when
   * this one was not read in time although it used little: the machine is busy, and the same file may be sent again.
   */
  async read(bytes: Buffer): Promise<Wayline> {
    refuseAtOnce(bytes);
    if (this.inWork >= MAX_AT_ONCE + MAX_WAITING) {
      throw new UnavailableError('kmz_checks_busy', 'too many route files are being checked, try again');
    }
    this.inWork++;
    const answer = await this.run(bytes).finally(() => this.inWork--);
    if ('wayline' in answer) return answer.wayline;
    const { code, message, fields } = answer.refused;
    throw new InvalidError(code, message, { fields });
  }

  stop(): Promise<void> {
    return this.pool.destroy();
  }

  private async run(bytes: Buffer): Promise<WorkerAnswer> {
    const { cpuMs, waitMs, heapMebibytes } = this.limits;
    const threadId = new SharedArrayBuffer(4);
    const ended = new AbortController();
    const endWith = (error: Error): void => ended.abort(error);
    const startedMs = Date.now();
    let cpuBeforeMs: number | null = null;
    const watch = setInterval(() => {
      const usedMs = threadCpuMs(Atomics.load(new Int32Array(threadId), 0));
      // A warm thread has used some before; what it is at when it is first seen is at most one look too much.
      if (usedMs !== null) cpuBeforeMs ??= usedMs;
      if (usedMs !== null && cpuBeforeMs !== null && usedMs - cpuBeforeMs > cpuMs) {
        endWith(tooComplex(`needed more than ${cpuMs} ms of CPU time`));
      } else if (Date.now() - startedMs > waitMs) endWith(notInTime());
    }, LOOK_EVERY_MS);
    try {
      // A copy that is handed over: the caller keeps its own, and nothing is copied twice.
      const copy = new Uint8Array(bytes);
      const task = { bytes: copy, threadId };
      return await this.pool.run(task, { transferList: [copy.buffer], signal: ended.signal });
    } catch (error) {
      if (ended.signal.aborted) throw ended.signal.reason;
      const { code } = error as Error & { code?: string };
      if (code === 'ERR_WORKER_OUT_OF_MEMORY') throw tooComplex(`needed over ${heapMebibytes} MiB of memory`);
      throw error;
    } finally {
      clearInterval(watch);
    }
  }
}

const notInTime = (): UnavailableError =>
  new UnavailableError('kmz_check_not_in_time', 'the route file was not checked in time on a busy machine, try again');

function tooComplex(why: string): InvalidError {
  return new InvalidError('kmz_too_complex', 'the file is too complex to be checked', {
    fields: [{ field: 'file', message: `its check ${why}` }],
  });
}

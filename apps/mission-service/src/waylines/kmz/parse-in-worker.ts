import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type FieldProblem, InvalidError, UnavailableError } from '@aerie/kernel';
import { refuseAtOnce } from './read-kmz.js';
import type { Wayline } from './wayline.js';

export type WorkerAnswer =
  | { readonly wayline: Wayline }
  | { readonly refused: { readonly code: string; readonly message: string; readonly fields: readonly FieldProblem[] } };

export interface ParseLimits {
  readonly timeMs: number;
  readonly heapMebibytes: number;
}

/** On one slow core 50,000 waypoints take 1.5 s, and the worst file that passes every other limit 3.6 s. */
const LIMITS: ParseLimits = { timeMs: 5_000, heapMebibytes: 256 };
/** Uploads are rare; the flights that run beside them are not to wait for a core. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 32;

const ENTRY = fileURLToPath(new URL('./kmz.worker.js', import.meta.url));

let running = 0;
const waiting: (() => void)[] = [];

/**
 * `readKmz` in a thread of its own, which is killed when it needs too much: a file that is built to be slow costs its
 * sender an error, and nobody else anything.
 *
 * @throws InvalidError `invalid_kmz` or `kmz_too_complex`; UnavailableError when too many files wait already.
 */
export async function parseInWorker(bytes: Buffer, limits: ParseLimits = LIMITS): Promise<Wayline> {
  refuseAtOnce(bytes);
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING) {
      throw new UnavailableError('kmz_checks_busy', 'too many route files are being checked, try again');
    }
    // The one that ends hands its place on, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    const answer = await runWorker(bytes, limits);
    if ('wayline' in answer) return answer.wayline;
    const { code, message, fields } = answer.refused;
    throw new InvalidError(code, message, { fields });
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function runWorker(bytes: Buffer, { timeMs, heapMebibytes }: ParseLimits): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    // A copy that is handed over: the caller keeps its own, and nothing is copied twice.
    const copy = new Uint8Array(bytes);
    const worker = new Worker(ENTRY, {
      workerData: copy,
      transferList: [copy.buffer],
      resourceLimits: { maxOldGenerationSizeMb: heapMebibytes, maxYoungGenerationSizeMb: 32 },
      // It needs no secret of ours.
      env: {},
    });
    const timer = setTimeout(() => settle(() => reject(tooComplex(`took longer than ${timeMs} ms`))), timeMs);
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      end();
      void worker.terminate();
    };
    worker.once('message', (answer: WorkerAnswer) => settle(() => resolve(answer)));
    worker.once('error', (error: Error & { code?: string }) =>
      settle(() =>
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooComplex(`needed over ${heapMebibytes} MiB of memory`) : error,
        ),
      ),
    );
    worker.once('exit', () => settle(() => reject(new Error('the thread that checks a route file ended early'))));
  });
}

function tooComplex(why: string): InvalidError {
  return new InvalidError('kmz_too_complex', 'the file is too complex to be checked', {
    fields: [{ field: 'file', message: `its check ${why}` }],
  });
}

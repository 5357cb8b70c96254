import { parentPort, workerData } from 'node:worker_threads';
import { InvalidError } from '@aerie/kernel';
import type { WorkerAnswer } from './parse-in-worker.js';
import { readKmz } from './read-kmz.js';

/** Reads one file and ends. Errors lose their class on the way between threads, so they travel as data. */
async function answer(bytes: Uint8Array): Promise<WorkerAnswer> {
  try {
    return { wayline: await readKmz(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return { refused: { code: error.code, message: error.message, fields: error.fields } };
  }
}

parentPort?.postMessage(await answer(workerData as Uint8Array));

import { readlinkSync } from 'node:fs';
import { InvalidError } from '@aerie/kernel';
import type { ParseTask, WorkerAnswer } from './kmz-reader.js';
import { readKmz } from './read-kmz.js';

/** Reads one file. Errors lose their class on the way between threads, so they travel as data. */
export default async function parse({ bytes, threadId }: ParseTask): Promise<WorkerAnswer> {
  Atomics.store(new Int32Array(threadId), 0, ownThread());
  try {
    return { wayline: await readKmz(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return { refused: { code: error.code, message: error.message, fields: error.fields } };
  }
}

/** The number of this thread at the operating system; 0 where that is not Linux. */
function ownThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspectLine } from '@aerie/dji-protocol';
import { Problem } from '../infrastructure/problem.js';

/** Reads JSON lines `{"topic", "payload"}` and prints for each, as one JSON line, what Aerie makes of it. */
export async function inspect(_root: string, args: readonly string[]): Promise<number> {
  const [file] = args;
  if (file === undefined || args.length > 1)
    throw new Problem('Usage: npm run inspect -- FILE   (or - for standard input)');
  if (file !== '-' && statSync(file, { throwIfNoEntry: false })?.isDirectory() !== false) {
    throw new Problem(`There is no file ${file}.`);
  }
  // A reader that has seen enough, as `head`, closes the pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const input = file === '-' ? process.stdin : createReadStream(file);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    // Waits for a reader that is slower than we are.
    if (!process.stdout.write(`${JSON.stringify(inspectLine(line))}\n`)) {
      await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  }
  return 0;
}

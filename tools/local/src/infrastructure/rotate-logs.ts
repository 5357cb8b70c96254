import { copyFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';

export interface Rotation {
  readonly maxBytes: number;
  /** Older ones beside the log itself: `name.log.1` is the newest of them. */
  readonly kept: number;
}

export const ROTATION: Rotation = { maxBytes: 20 * 1024 * 1024, kept: 3 };

/**
 * Copies logs that have grown too large and empties them. The programs hold their files open for appending, so each goes
 * on in the same file; what is written between the copy and the cut is lost, a line or two.
 */
export function rotateLogs(directory: string, { maxBytes, kept }: Rotation = ROTATION): void {
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name);
    if (!name.endsWith('.log') || statSync(file).size <= maxBytes) continue;
    rmSync(`${file}.${kept}`, { force: true });
    for (let age = kept - 1; age >= 1; age--) {
      try {
        renameSync(`${file}.${age}`, `${file}.${age + 1}`);
      } catch {
        // There is none of this age yet.
      }
    }
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
  }
}

import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/**
 * A package of npm holds no links: that of PostgreSQL lists those of its libraries, and has a script that would make them when it is
 * installed. No script runs then. What is there stays, so that several may do it at once.
 *
 * @param packaged folder of the package
 * @param target folder with its `native/`; default: the package itself
 */
export function linkLibraries(packaged: string, target = packaged): void {
  const links = JSON.parse(readFileSync(path.join(packaged, 'native/pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const [from, to] = [path.join(target, link.source), path.join(target, link.target)];
    // Follows a link: one that leads nowhere is none.
    if (existsSync(to)) continue;
    try {
      rmSync(to, { force: true });
      symlinkSync(path.relative(path.dirname(to), from), to);
    } catch (error) {
      if (!existsSync(to)) throw error;
    }
  }
}

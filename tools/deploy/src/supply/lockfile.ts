import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What `package-lock.json` says of one package; its key is the folder from the root. */
export interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly inBundle?: boolean;
}

export type Lockfile = Readonly<Record<string, Locked>>;

export const readLockfile = (root: string): Lockfile =>
  (JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { readonly packages: Lockfile }).packages;

const FOLDER = 'node_modules/';

/** Whether it comes from somebody else; the others are our own projects and links to them. */
export const isForeign = (folder: string, { link }: Locked): boolean => folder.includes(FOLDER) && link !== true;

export const nameOf = (folder: string, { name }: Locked): string =>
  name ?? folder.slice(folder.lastIndexOf(FOLDER) + FOLDER.length);

/** What keeps an install from being the same everywhere, or lets something in that nobody has compared. */
export function lockfileFaults(lockfile: Lockfile): string[] {
  return Object.entries(lockfile).flatMap(([folder, locked]) => {
    if (!isForeign(folder, locked)) return [];
    const faults: string[] = [];
    if (!/^sha512-/.test(locked.integrity ?? '') && locked.inBundle !== true)
      faults.push(`${folder} has no SHA-512 of what is installed`);
    if (locked.resolved !== undefined) faults.push(`${folder} names where it is from: ${locked.resolved}`);
    return faults;
  });
}

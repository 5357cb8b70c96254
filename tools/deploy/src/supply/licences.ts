import { type Lockfile, isForeign, nameOf } from './lockfile.js';

/** Permissive: what carries them may be given on as part of Aerie, with their notices. */
const GOOD = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Unlicense',
]);

/** What a package says in a form that is no SPDX name, read by a person. */
export const READ: Readonly<Record<string, string>> = {
  // Their package.json has a list `licenses` with one entry.
  'busboy@1.6.0': 'MIT',
  'streamsearch@1.1.0': 'MIT',
  // It leaves the choice between MIT and Apache 2.0.
  'pause-stream@0.0.11': 'MIT',
};

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** SPDX name; undefined where nobody knows. */
  readonly licence: string | undefined;
}

/** Of these folders of the lockfile, those of others. */
export function licencesOf(lockfile: Lockfile, folders: readonly string[]): Licensed[] {
  return folders.flatMap((folder) => {
    const locked = lockfile[folder];
    if (locked === undefined || !isForeign(folder, locked)) return [];
    const [name, version] = [nameOf(folder, locked), locked.version ?? ''];
    return [{ name, version, licence: READ[`${name}@${version}`] ?? locked.license }];
  });
}

export function licenceFaults(packages: readonly Licensed[]): string[] {
  return packages
    .filter(({ licence }) => licence === undefined || !GOOD.has(licence))
    .map(({ name, version, licence }) => `${name}@${version}: ${licence ?? 'no licence is named'}`);
}

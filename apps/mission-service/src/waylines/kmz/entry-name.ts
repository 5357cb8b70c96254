import { LIMITS } from './limits.js';
import { type Problems, quote } from './problems.js';

export const TEMPLATE = 'wpmz/template.kml';
export const WAYLINES = 'wpmz/waylines.wpml';
const RESOURCES = 'wpmz/res/';

/** Names that mean a device on Windows, with any suffix. */
const DEVICE_NAME = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;
const NESTED_ARCHIVE = /\.(zip|kmz|jar|7z|rar|gz|tgz|bz2|xz|zst|tar)$/i;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Reads the name of an entry. Only what belongs into a route file is let in; nothing is ever unpacked to disk. */
export function checkEntryName(raw: Buffer, problems: Problems): string | undefined {
  const name = raw.toString('utf8');
  const problem = problemOf(name, raw);
  if (problem === undefined) return name;
  // A name that is refused may hold anything: quoted, it cannot break a message or a log line.
  problems.add(`entry ${quote(name)}`, problem);
  return undefined;
}

function problemOf(name: string, raw: Buffer): string | undefined {
  if (raw.length > LIMITS.entryNameBytes) return `has a name of over ${LIMITS.entryNameBytes} bytes`;
  if (!Buffer.from(name, 'utf8').equals(raw)) return 'has a name that is not UTF-8';
  if (CONTROL.test(name)) return 'has a control character in its name';
  if (name.includes('\\')) return 'has a backslash in its name';
  if (name.startsWith('/') || /^[a-z]:/i.test(name)) return 'has an absolute path';
  const parts = name.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'has a path that climbs or loops';
  if (parts.some((part) => DEVICE_NAME.test(part) || /[. ]$/.test(part))) return 'has a name that is no file name';
  if (name === TEMPLATE || name === WAYLINES || name === 'wpmz/' || name === RESOURCES) return undefined;
  if (!name.startsWith(RESOURCES)) {
    const twin = [TEMPLATE, WAYLINES].find((known) => known.toLowerCase() === name.toLowerCase());
    return twin === undefined
      ? `does not belong into a route file; there may be ${TEMPLATE}, ${WAYLINES} and files under ${RESOURCES}`
      : `must be spelled ${twin}: names are case-sensitive`;
  }
  return NESTED_ARCHIVE.test(name) ? 'is an archive inside the archive' : undefined;
}

const ARCHIVE_STARTS = [
  '504b0304',
  '504b0506',
  '1f8b',
  '377abcaf271c',
  '526172211a07',
  'fd377a585a00',
  '425a68',
  '28b52ffd',
];

/** Whether a file begins like an archive, whatever its name says. */
export function looksLikeArchive(start: Buffer): boolean {
  const hex = start.subarray(0, 8).toString('hex');
  return ARCHIVE_STARTS.some((archive) => hex.startsWith(archive));
}

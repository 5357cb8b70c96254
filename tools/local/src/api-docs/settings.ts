import { table } from './table.js';

/** As `print-settings.js` of service-host writes it. */
export interface PrintedProgram {
  readonly program: string;
  readonly prefix: string;
  readonly settings: readonly PrintedSetting[];
  readonly commands: readonly { readonly command: string; readonly settings: readonly PrintedSetting[] }[];
}

interface PrintedSetting {
  readonly name: string;
  readonly says: string;
  readonly isRequired: boolean;
  readonly fallback?: string | number;
  readonly least?: number;
  readonly most?: number;
  readonly oneOf?: readonly string[];
  readonly files: readonly string[];
}

const HEAD = ['setting', 'default', 'unit', 'allowed', 'what'];

/** The settings of each program that are its own, those that several have, and what commands read. */
export function settingsPart(programs: readonly PrintedProgram[]): string {
  const own = programs.map(({ program, prefix, settings }) => {
    const rows = settings.filter(({ name }) => name.startsWith(prefix)).map(rowOf);
    return `## ${program}\n\nBegin with \`${prefix}\`.\n\n${table(HEAD, rows)}`;
  });
  const shared = `## Servers and what is shared\n\n${table(['read by', ...HEAD], sharedRows(programs))}`;
  const commands = `## Commands\n\n${table(['command', 'settings'], commandRows(programs))}`;
  return [...own, shared, commands].join('\n\n');
}

/** A setting that means the same to several programs has one row. */
function sharedRows(programs: readonly PrintedProgram[]): string[][] {
  const readers = new Map<string, string[]>();
  for (const { program, prefix, settings } of programs) {
    for (const setting of settings.filter(({ name }) => !name.startsWith(prefix))) {
      const row = JSON.stringify(rowOf(setting));
      readers.set(row, [...(readers.get(row) ?? []), program]);
    }
  }
  return [...readers]
    .map(([row, by]) => [by.join(', '), ...(JSON.parse(row) as string[])])
    .sort(([, one = ''], [, other = '']) => (one < other ? -1 : Number(one > other)));
}

const commandRows = (programs: readonly PrintedProgram[]): string[][] =>
  programs.flatMap(({ program, commands }) =>
    commands.map(({ command, settings }) => [
      `\`${command}\` of ${program}`,
      settings.map(({ name, isRequired }) => `\`${name}\`${isRequired ? '' : ' (optional)'}`).join(', '),
    ]),
  );

function rowOf(setting: PrintedSetting): string[] {
  const { name, says, files } = setting;
  const asFile = files.length === 0 ? '' : ` Files: ${files.map((file) => `\`${file}\``).join(', ')}.`;
  return [`\`${name}\``, defaultOf(setting), unitOf(name), allowedBy(setting), inCell(says) + asFile];
}

const defaultOf = ({ isRequired, fallback }: PrintedSetting): string => {
  if (isRequired) return 'required';
  return fallback === undefined || fallback === '' ? 'none' : `\`${fallback}\``;
};

/** By the end of the name, as everywhere in the code. */
const UNITS: readonly (readonly [end: string, unit: string])[] = [
  ['_BYTES_PER_SECOND', 'bytes per second'],
  ['_MESSAGES_PER_SECOND', 'messages per second'],
  ['_MS', 'ms'],
  ['_SECONDS', 's'],
  ['_DAYS', 'days'],
  ['_BYTES', 'bytes'],
];
const unitOf = (name: string): string => UNITS.find(([end]) => `_${name}`.endsWith(end))?.[1] ?? '';

function allowedBy({ least, most, oneOf }: PrintedSetting): string {
  if (oneOf !== undefined) return oneOf.map((value) => `\`${value}\``).join(', ');
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `at least ${least}`;
  return most === undefined ? '' : `at most ${most}`;
}

/** A bar would end the cell, and a star begins emphasis. */
const inCell = (text: string): string => text.replace(/[|*]/g, (sign) => `\\${sign}`);

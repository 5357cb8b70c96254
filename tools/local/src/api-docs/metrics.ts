import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../infrastructure/problem.js';
import { table } from './table.js';

export interface RegisteredMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** The programs that tell it. */
  readonly programs: readonly string[];
}

/** A declaration at the top of a file, with its text up to the next one. */
interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

const TYPES = {
  counter: 'counter',
  gauge: 'gauge',
  askedGauge: 'gauge',
  askedGauges: 'gauge',
  histogram: 'histogram',
} as const;

const TEXT = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\`[^\`]*\``;
const CALL = /\.(counter|gauge|askedGauges?|histogram)(?:<[^>]*>)?\(/g;
const REGISTRATION = new RegExp(
  String.raw`${CALL.source}\s*'([a-z][a-z0-9_]*)',\s*(${TEXT})\s*(?:,\s*(\[[^\]]*\]|'[a-z_]+'))?`,
  'g',
);
const DECLARATION =
  /^(?:export )?(?:default )?(?:abstract )?(?:async )?(?:function|class|const|let|interface|type) (\w+)/gm;

/**
 * The metrics of all programs, from the calls that register them. A program has what is registered in it, and in what it uses
 * of a library.
 */
export function metricsOf(root: string): RegisteredMetric[] {
  const declarations = ['apps', 'libs'].flatMap((part) => sourcesBelow(root, part)).flatMap(declarationsIn);
  const found = declarations.flatMap((declaration) =>
    registrationsIn(declaration, declarations).map((metric) => ({ ...metric, by: declaration })),
  );
  return found
    .map(({ by, ...metric }) => {
      const users = programsThatUse(by, declarations);
      return { ...metric, programs: users.filter((program) => hasOption(metric.name, program, declarations)) };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

export const metricsPart = (metrics: readonly RegisteredMetric[]): string =>
  table(
    ['metric', 'type', 'unit', 'labels', 'programs', 'what'],
    metrics.map(({ name, type, labels, programs, help }) => [
      `\`${name}\``,
      type,
      unitOf(name),
      labels.map((label) => `\`${label}\``).join(', '),
      programs.join(', '),
      help.replaceAll('|', '\\|'),
    ]),
  );

const UNITS: readonly (readonly [end: string, unit: string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'bytes'],
  ['_ratio', '0 to 1'],
];
const unitOf = (name: string): string => UNITS.find(([end]) => name.replace(/_total$/, '').endsWith(end))?.[1] ?? '';

interface Source {
  readonly file: string;
  readonly text: string;
}

/** Without tests, and what serves them. */
function sourcesBelow(root: string, part: string): Source[] {
  return readdirSync(path.join(root, part), { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join(part, file.replaceAll('\\', '/')))
    .filter((file) => /^[^/]+\/[^/]+\/src\/.*\.ts$/.test(file))
    .filter(
      (file) =>
        !/\.(spec|fixture|fake|laws)\.ts$|\/testing\/|^libs\/testing\/|^libs\/observability\/src\/metrics\.ts$/.test(
          file,
        ),
    )
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
}

function declarationsIn({ file, text }: Source): Declaration[] {
  const begins = [...text.matchAll(DECLARATION)].map(({ index, 1: name = '' }) => ({ index, name }));
  return [{ index: 0, name: '' }, ...begins].map(({ index, name }, at) => ({
    ...{ file, name },
    text: text.slice(index, begins[at]?.index),
  }));
}

function registrationsIn(
  { file, text }: Declaration,
  all: readonly Declaration[],
): Omit<RegisteredMetric, 'programs'>[] {
  const read = [...text.matchAll(REGISTRATION)];
  if (read.length !== [...text.matchAll(CALL)].length) {
    throw new Problem(
      `${file} registers a metric whose name, help or labels are no literals: docs/metrics.md needs them.`,
    );
  }
  return read.map(([, kind = '', name = '', help = '', labels = '']) => ({
    ...{ name, type: TYPES[kind as keyof typeof TYPES] },
    labels: [...labels.matchAll(/'(\w+)'/g)].map(([, label = '']) => label),
    help: help.slice(1, -1).replace(/\$\{(\w+)\}/g, (_, constant: string) => numberOf(constant, file, all)),
  }));
}

function numberOf(constant: string, file: string, all: readonly Declaration[]): string {
  const declared = all.find((one) => one.file === file && one.name === constant);
  const value = /= ([\d_]+);/.exec(declared?.text ?? '')?.[1];
  if (value === undefined) throw new Problem(`${file}: docs/metrics.md cannot know the value of ${constant}.`);
  return value.replaceAll('_', '');
}

/** Those that come with an option of `runService`, which is looked for in the `main.ts` of a program. */
const WITH_OPTION: Readonly<Record<string, string>> = { grpc_call_seconds: 'grpc' };

function hasOption(metric: string, program: string, all: readonly Declaration[]): boolean {
  const option = WITH_OPTION[metric];
  const main = all.filter(({ file }) => file === `apps/${program}/src/main.ts`);
  return option === undefined || main.some(({ text }) => text.includes(`${option}: {`));
}

/** By whatever uses it, and whatever uses that, up to the programs. */
function programsThatUse(first: Declaration, all: readonly Declaration[]): string[] {
  const imports = new Map(all.filter(({ name }) => name === '').map(({ file, text }) => [file, withoutTypes(text)]));
  const reached = new Set([first]);
  const programs = new Set<string>();
  for (const { file, name } of reached) {
    const [part, project = ''] = file.split('/');
    if (part === 'apps') {
      programs.add(project);
      continue;
    }
    // What stands before the first declaration of a file is imports, which by themselves use nothing.
    if (name === '') continue;
    const word = new RegExp(String.raw`\b${name}\b`);
    for (const other of all) {
      const isMeant = other.file === file || word.test(imports.get(other.file) ?? '');
      if (isMeant && word.test(other.text)) reached.add(other);
    }
  }
  return [...programs].sort();
}

/** Who knows the type of a thing does not have it. */
const withoutTypes = (imports: string): string => imports.replace(/import type [^;]*;|\btype \w+/g, '');

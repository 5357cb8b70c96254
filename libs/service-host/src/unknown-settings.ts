import { type FieldProblem, sameLetters } from '@aerie/kernel';

/** What stands beside a program's own settings in the environment that it was given. */
export interface KnownSettings {
  readonly program: string;
  /** Of names that are this program's alone. */
  readonly prefix: string;
  readonly names: readonly string[];
}

/** More changes than these make another word, not a slip. */
const SLIP_CHANGES = 2;

/** Close to a setting of ours, and a variable that other software reads. */
const OF_OTHERS = new Set(['HTTP_PROXY_HOST']);

/**
 * Variables that would be left out in silence although they are meant for this program: those that begin with its prefix, and
 * slips of the pen in names that other software may have a share of, such as `NATS_…` and `S3_…`. There a name that is far
 * from all of ours belongs to somebody else, and so does one beside the right name.
 */
export function unknownSettings(env: NodeJS.ProcessEnv, { program, prefix, names }: KnownSettings): FieldProblem[] {
  const known = new Set(names);
  const shared = new Set(names.filter((name) => !name.startsWith(prefix)).map(firstWordOf));
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (known.has(name) || isServiceLink(name, value)) return [];
    const refusal = (message: string): FieldProblem[] => [{ field: name, message }];
    if (name.startsWith(prefix)) {
      const meant = meantBy(name, names) ?? sameButForItsEnd(name, names);
      return refusal(`is no setting of ${program}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
    if (!shared.has(firstWordOf(name)) || value === '' || OF_OTHERS.has(name)) return [];
    const meant = meantBy(
      name,
      names.filter((candidate) => firstWordOf(candidate) === firstWordOf(name)),
    );
    return meant === undefined || isGiven(env, meant)
      ? []
      : refusal(`is no setting of ${program}; did you mean ${meant}?`);
  });
}

const isGiven = (env: NodeJS.ProcessEnv, name: string): boolean => env[name] !== undefined && env[name] !== '';

const firstWordOf = (name: string): string => name.slice(0, name.indexOf('_') + 1);

/**
 * Kubernetes tells each pod of the services that were there before it, unless `enableServiceLinks` is false: a service
 * `mission-service` begins as settings of ours do. [Kubernetes, "Environment variables" of services]
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) || /_SERVICE_HOST$/.test(name)) return true;
  if (/_SERVICE_PORT(_[A-Z0-9_]+)?$/.test(name) && /^\d+$/.test(value)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

/** The known name that differs in how it is written, by the fewest letters. */
function meantBy(name: string, names: readonly string[]): string | undefined {
  const same = names.find((candidate) => sameLetters(candidate, name));
  if (same !== undefined) return same;
  const [nearest] = names
    .map((candidate) => ({ candidate, changes: changesBetween(candidate, name, SLIP_CHANGES) }))
    .filter(({ changes }) => changes <= SLIP_CHANGES)
    .sort((one, other) => one.changes - other.changes);
  return nearest?.candidate;
}

/** `…_SECONDS` for `…_MS`, and `LOG_LEVEL` for `LOG_LOG_LEVEL`: the only known name that differs so. */
function sameButForItsEnd(name: string, names: readonly string[]): string | undefined {
  const longer = names.filter((candidate) => candidate.endsWith(`_${name}`));
  const sisters = names.filter((candidate) => withoutLastWord(candidate) === withoutLastWord(name));
  const [meant, another] = [...longer, ...sisters];
  return another === undefined ? meant : undefined;
}

const withoutLastWord = (name: string): string => name.slice(0, name.lastIndexOf('_'));

/** Letters to put in, take out or replace. More than `most` is not counted to its end. */
export function changesBetween(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[other.length] ?? 0;
}

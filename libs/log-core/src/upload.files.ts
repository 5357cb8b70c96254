import type { Cause, EventOf, LogFile, LogUpload, ToldFile } from './upload.types.js';

/** What is there decides how it ends: all, some or nothing of what was asked for. */
export function endOf(files: readonly LogFile[]): 'stored' | 'partly_stored' | 'failed' {
  if (!files.some(({ state }) => state === 'stored')) return 'failed';
  // A problem beside a stored archive: the dock had not all of what was asked for.
  return files.every(({ state, problem }) => state === 'stored' && problem === null) ? 'stored' : 'partly_stored';
}

export const hasWanted = (files: readonly LogFile[]): boolean => files.some(({ state }) => state === 'wanted');

export function withVerdicts(
  files: readonly LogFile[],
  { files: checked }: EventOf<'objectsChecked'>,
): readonly LogFile[] {
  return files.map((file) => {
    const ok = checked.some(({ module, verdict }) => module === file.module && verdict === 'ok');
    return ok && file.state === 'wanted' ? { ...file, state: 'stored' } : file;
  });
}

/** Messages overtake each other: what was told of an end stays, and what counts up never goes back. */
export function withTold(files: readonly LogFile[], told: readonly ToldFile[]): readonly LogFile[] {
  return files.map((file) => {
    const news = ofModule(told, file.module);
    if (news === null || file.state !== 'wanted') return file;
    const word = file.told === null ? news : merged(file.told, news);
    // What is found can be one of them at most: the rest is unknown, and the upload must not pass for complete.
    const problem = word.several === true ? (file.problem ?? { code: 'several_files' }) : file.problem;
    return { ...file, told: word, problem };
  });
}

/** What is told of a module by all of its files: it has ended when each has, and failed when one has. */
function ofModule(told: readonly ToldFile[], module: ToldFile['module']): ToldFile | null {
  const [first, ...others] = told.filter((file) => file.module === module);
  if (first === undefined) return null;
  if (others.length === 0) return first;
  const all = [first, ...others];
  const has = (word: ToldFile['progress']): boolean => all.some(({ progress }) => progress === word);
  const percents = all.flatMap(({ percent }) => percent ?? []);
  return {
    ...first,
    progress: has('going') ? 'going' : has('failed') ? 'failed' : 'ok',
    percent: percents.length === 0 ? null : Math.min(...percents),
    dockResult: all.find(({ dockResult }) => dockResult !== null)?.dockResult ?? null,
    several: true,
  };
}

function merged(before: ToldFile, news: ToldFile): ToldFile {
  // One message for each file is the same as one with all of them.
  const isOther =
    before.progress === 'ok' &&
    news.progress === 'ok' &&
    before.key !== null &&
    news.key !== null &&
    before.key !== news.key;
  if (isOther) return { ...before, several: true };
  const [older, newer] = news.progress === 'going' && before.progress !== 'going' ? [news, before] : [before, news];
  return {
    module: news.module,
    progress: newer.progress,
    key: newer.key ?? older.key,
    sizeBytes: newer.sizeBytes ?? older.sizeBytes,
    fingerprint: newer.fingerprint ?? older.fingerprint,
    percent: newer.percent ?? older.percent,
    dockResult: newer.dockResult ?? older.dockResult,
    ...(before.several === true || news.several === true ? { several: true } : {}),
  };
}

/** Whether the dock has told the end of every archive that it was asked for. */
export const allEnded = (files: readonly LogFile[], told: readonly ToldFile[]): boolean =>
  withTold(files, told).every(
    ({ state, told: word }) => state !== 'wanted' || (word !== null && word.progress !== 'going'),
  );

type Told = Pick<LogUpload, 'files' | 'cause' | 'heardAtMs'>;

/**
 * Whether a report of an export that goes on tells what people look for in the history of it: the first word, each tenth, an
 * end, and what was not known before. A size may count up with each report; it is known from the first.
 */
export const tellsMore = (before: Told, after: Told): boolean => knownOf(before) !== knownOf(after);

const knownOf = ({ files, cause, heardAtMs }: Told): string =>
  JSON.stringify([
    ...[heardAtMs === null, ...partsOf(cause)],
    files.map(({ state, problem, told }) => [state, ...partsOf(problem), told && wordOf(told)]),
  ]);

// One by one: what was stored may have its members in another order.
const partsOf = (cause: Cause | null): readonly unknown[] => [cause?.code, cause?.dockResult];
const wordOf = ({
  progress,
  key,
  sizeBytes,
  fingerprint,
  percent,
  dockResult,
  several,
}: ToldFile): readonly unknown[] => [
  ...[progress, key, sizeBytes === null, fingerprint, dockResult, several],
  percent === null ? null : Math.floor(percent / 10),
];

import type { EventOf, LogFile, ToldFile } from './upload.types.js';

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
    const news = told.find(({ module }) => module === file.module);
    if (news === undefined || file.state !== 'wanted') return file;
    return { ...file, told: file.told === null ? news : merged(file.told, news) };
  });
}

function merged(before: ToldFile, news: ToldFile): ToldFile {
  const [older, newer] = news.progress === 'going' && before.progress !== 'going' ? [news, before] : [before, news];
  return {
    module: news.module,
    progress: newer.progress,
    key: newer.key ?? older.key,
    sizeBytes: newer.sizeBytes ?? older.sizeBytes,
    fingerprint: newer.fingerprint ?? older.fingerprint,
    percent: newer.percent ?? older.percent,
    dockResult: newer.dockResult ?? older.dockResult,
  };
}

/** Whether the dock has told the end of every archive that it was asked for. */
export const allEnded = (files: readonly LogFile[], told: readonly ToldFile[]): boolean =>
  withTold(files, told).every(
    ({ state, told: word }) => state !== 'wanted' || (word !== null && word.progress !== 'going'),
  );

import { allEnded, endOf, tellsMore, withTold, withVerdicts } from './upload.files.js';
import type { LogFile, ToldFile } from './upload.types.js';

const file: LogFile = {
  ...{ module: 'dock', bootIndexes: [1, 2], expectedBytes: 10, state: 'wanted', problem: null, told: null },
};
const told = (key: string, more: Partial<ToldFile> = {}): ToldFile => ({
  ...{ module: 'dock', progress: 'ok', key, sizeBytes: 5, fingerprint: null, percent: 100, dockResult: null },
  ...more,
});
const foundIn = (files: readonly LogFile[]): readonly LogFile[] =>
  withVerdicts(files, { type: 'objectsChecked', attempt: 1, files: [{ module: 'dock', verdict: 'ok' }] });

describe('two files for one module', () => {
  it('in one message never make an upload `stored` with one of them alone', () => {
    const files = foundIn(withTold([file], [told('a'), told('b')]));
    expect(files[0]?.problem).toEqual({ code: 'several_files' });
    expect(endOf(files)).toBe('partly_stored');
  });

  it('in two messages neither', () => {
    expect(endOf(foundIn(withTold(withTold([file], [told('a')]), [told('b')])))).toBe('partly_stored');
  });

  it.each(['going', 'failed'] as const)('have not ended well while one of them is `%s`', (progress) => {
    const [first] = withTold([file], [told('a'), told('b', { progress, percent: 40, dockResult: 7 })]);
    expect(first?.told).toMatchObject({ progress, percent: 40, dockResult: 7 });
    expect(allEnded([file], [told('a'), told('b', { progress })])).toBe(progress === 'failed');
  });
});

it('a file that is told twice under one key is one file', () => {
  expect(endOf(foundIn(withTold(withTold([file], [told('a')]), [told('a')])))).toBe('stored');
});

describe('a report of an export that goes on', () => {
  const going: ToldFile = {
    ...{ module: 'dock', progress: 'going', key: 'a', sizeBytes: 5, fingerprint: null, percent: 41, dockResult: null },
  };
  const after = (news: Partial<ToldFile>, before: ToldFile | null = going) => {
    const upload = { files: [{ ...file, told: before }], cause: null, heardAtMs: 1 };
    return tellsMore(upload, { ...upload, heardAtMs: 2, files: withTold(upload.files, [{ ...going, ...news }]) });
  };

  it('tells nothing more where it is the same in another order, as a database gives it back', () => {
    const turned = Object.fromEntries(Object.entries(going).reverse()) as unknown as ToldFile;
    expect(after({}, turned)).toBe(false);
  });

  it.each([
    ['the same again', {}],
    ['a few percent more', { percent: 49.9 }],
    ['a size that counts up', { sizeBytes: 6 }],
  ])('tells nothing more: %s', (_what, news) => expect(after(news)).toBe(false));

  it.each([
    ['another tenth', { percent: 50 }],
    ['an end', { progress: 'ok' as const }],
    ['a failure', { progress: 'failed' as const, dockResult: 7 }],
    ['another key', { key: 'b' }],
    ['a hash', { fingerprint: 'abc' }],
  ])('tells more: %s', (_what, news) => expect(after(news)).toBe(true));

  it('tells more where nothing was told of the file before', () => expect(after({}, null)).toBe(true));

  it('tells more where it is the first word of its dock, or takes back that the dock is silent', () => {
    const upload = { files: [{ ...file, told: going }], cause: null, heardAtMs: 1 };
    expect(tellsMore({ ...upload, heardAtMs: null }, upload)).toBe(true);
    expect(tellsMore({ ...upload, cause: { code: 'silent' } }, upload)).toBe(true);
  });
});

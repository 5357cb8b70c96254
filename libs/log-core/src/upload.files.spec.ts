import { allEnded, endOf, withTold, withVerdicts } from './upload.files.js';
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

import { listData, type LogStatus, progressData, statusOfJob, type ToldFile } from './log-words.js';

const aFile = (changes: Partial<ToldFile> = {}): ToldFile => ({
  ...{ module: '3', deviceSn: 'DOCK', key: 'logs/3.tar', sizeBytes: 1_000, status: 'file_zip', percent: 40 },
  ...{ result: 0, fingerprint: '', finishedAtMs: 0, bytesPerSecond: 0, ...changes },
});

describe('a job', () => {
  it.each<[LogStatus[], LogStatus]>([
    [['file_uploading', 'file_pull'], 'file_pull'],
    [['ok', 'file_uploading'], 'file_uploading'],
    [['failed', 'file_zip'], 'file_zip'],
    [['ok', 'ok'], 'ok'],
    [['ok', 'failed'], 'failed'],
    [['ok', 'canceled', 'failed'], 'canceled'],
  ])('of files that are %j is %s', (statuses, expected) => {
    expect(statusOfJob(statuses.map((status) => ({ status })))).toBe(expected);
  });
});

describe('the progress of a job', () => {
  it('is told file by file', () => {
    const file = aFile({ status: 'ok', percent: 100, fingerprint: 'abc', finishedAtMs: 1_760_000_000_000 });
    const element = { module: '3', size: 1_000, device_sn: 'DOCK', key: 'logs/3.tar', fingerprint: 'abc' };
    const steps = { current_step: 3, total_step: 3, progress: 100, finish_time: 1_760_000_000_000, upload_rate: 0 };
    const files = [{ ...element, progress: { ...steps, result: 0, status: 'ok' } }];
    expect(progressData([file], 'newest')).toEqual({ output: { status: 'ok', ext: { files } } });
  });

  it('is misspelt by old firmware, which leaves the number of steps out for the aircraft (L1, L7)', () => {
    expect(progressData([aFile({ module: '0' }), aFile()], 'seed')).toMatchObject({
      output: {
        status: 'file_zip',
        ext: {
          files: [
            { progress: expect.not.objectContaining({ total_step: 3, progress: 40 }) as object },
            { progress: { current_step: 2, total_step: 3, prgress: 40 } },
          ],
        },
      },
    });
  });
});

describe('the list of logs', () => {
  const boots = [
    { bootIndex: 41, startMs: 1_760_000_000_500, endMs: 1_760_000_100_500, sizeBytes: 7 },
    { bootIndex: 42, startMs: 1_760_000_100_500, endMs: undefined, sizeBytes: 7 },
  ];
  const modules = [{ module: '3', deviceSn: 'DOCK', result: 0, boots }] as const;
  const NOW_MS = 1_760_000_200_500;

  it('says when each boot was, the present one until now', () => {
    const list = [
      { boot_index: 41, start_time: 1_760_000_000_500, end_time: 1_760_000_100_500, size: 7 },
      { boot_index: 42, start_time: 1_760_000_100_500, end_time: NOW_MS, size: 7 },
    ];
    const files = [{ device_sn: 'DOCK', result: 0, module: '3', list }];
    expect(listData(modules, 'newest', NOW_MS)).toEqual({ result: 0, files });
  });

  it('is in seconds from old firmware, with one end misspelt and no result beside it (L2, L3, L8)', () => {
    const list = [
      { boot_index: 41, start_time: 1_760_000_000, end_time: 1_760_000_100, size: 7 },
      { boot_index: 42, start_time: 1_760_000_100, end_ime: 1_760_000_200, size: 7 },
    ];
    expect(listData(modules, 'seed', NOW_MS)).toEqual({ files: [{ device_sn: 'DOCK', result: 0, module: '3', list }] });
  });
});

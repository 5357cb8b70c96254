import { encodeService } from '../encode.js';
import { aLogStart, dataOf, reasonFor } from '../fixtures/messages.js';
import { errorCode } from '../catalogue/error-codes.js';
import { BUSY_FOR_LOGS, isBusyForLogs } from '../result-codes.js';
import { isTerminalLogStatus } from './fileupload-progress.js';
import { logInstantMs } from './log-module.js';

const DOCK2 = { model: 'dock2' } as const;

describe('fileupload_list', () => {
  it('asks for modules by their codes, which are texts', () => {
    expect(encodeService('fileupload_list', { module_list: ['3', '0'] }, DOCK2)).toEqual({ module_list: ['3', '0'] });
  });

  it('is not written for a module that does not exist', () => {
    expect(() => encodeService('fileupload_list', { module_list: ['1' as '0'] }, DOCK2)).toThrow('failed to encode');
  });

  it('has a reply whose result may be missing, for all and for a module (L8)', () => {
    const reply = { files: [{ module: 3, device_sn: '', list: [{ boot_index: '7' }] }] };
    expect(dataOf('services_reply', 'fileupload_list', reply)).toEqual({
      result: 0,
      files: [{ module: '3', device_sn: '', result: 0, list: [{ boot_index: 7 }] }],
    });
  });

  it('has a reply whose module may have no list at all', () => {
    const reply = { result: 0, files: [{ module: '0', result: 324015 }] };
    expect(dataOf('services_reply', 'fileupload_list', reply)).toMatchObject({ files: [{ result: 324015, list: [] }] });
  });

  it('has a reply whose list and times may be empty texts, which mean none (E9)', () => {
    const files = [
      { module: '0', result: '', list: '' },
      { module: '3', list: [{ boot_index: 1, start_time: '', end_time: '', end_ime: 5, size: '' }] },
    ];
    expect(dataOf('services_reply', 'fileupload_list', { result: '', files })).toEqual({
      result: 0,
      files: [
        { module: '0', result: 0, list: [] },
        { module: '3', result: 0, list: [{ boot_index: 1, end_time: 5 }] },
      ],
    });
    expect(dataOf('services_reply', 'fileupload_list', { result: 0, files: '' })).toEqual({ result: 0 });
  });

  it('has a reply whose files may lie under output, where no table has them (E12)', () => {
    const files = [{ module: '3', list: [{ boot_index: 1 }] }];
    expect(dataOf('services_reply', 'fileupload_list', { result: 0, output: { files } })).toMatchObject({
      files: [{ module: '3', result: 0, list: [{ boot_index: 1 }] }],
    });
  });

  it('takes an end of null for none, in both spellings (L2)', () => {
    const reply = { files: [{ module: '3', list: [{ boot_index: 1, end_ime: null, end_time: null }] }] };
    expect(dataOf('services_reply', 'fileupload_list', reply)).toMatchObject({
      files: [{ list: [{ boot_index: 1 }] }],
    });
  });

  it('keeps the right spelling of the end where both are given (L2)', () => {
    const reply = { files: [{ module: '3', list: [{ boot_index: 1, end_ime: 5, end_time: 6 }] }] };
    expect(dataOf('services_reply', 'fileupload_list', reply)).toMatchObject({ files: [{ list: [{ end_time: 6 }] }] });
  });

  it.each([
    [1_659_427_398, 1_659_427_398_000],
    [1_659_427_398_806, 1_659_427_398_806],
  ])('tells the instant %d in milliseconds (L3)', (instant, ms) => {
    expect(logInstantMs(instant)).toBe(ms);
  });
});

describe('fileupload_start', () => {
  it('is written with what old and what new firmware reads (L4, L6)', () => {
    expect(encodeService('fileupload_start', aLogStart(), { model: 'dock1', generation: '1.2' })).toEqual(aLogStart());
  });

  it.each([
    ['an end in seconds', { credentials: { ...aLogStart().credentials, expire: 3_600 } }, 'credentials.expire'],
    ['a prefix without its slash', { file_store_dir: 'org/1' }, 'file_store_dir'],
    ['no archive', { params: { files: [] } }, 'params.files'],
    ['an endpoint without scheme', { endpoint: 'storage.example.test' }, 'endpoint'],
  ])('is not written with %s', (_what, wrong, field) => {
    let fields: readonly { readonly field: string }[] = [];
    try {
      encodeService('fileupload_start', aLogStart(wrong), DOCK2);
    } catch (error) {
      fields = (error as { fields: typeof fields }).fields;
    }
    expect(fields.map((problem) => problem.field)).toEqual([field]);
  });
});

describe('fileupload_progress', () => {
  it('is read where the level of the output is missing (E12)', () => {
    expect(dataOf('events', 'fileupload_progress', { status: 'ok', ext: { files: [] } })).toEqual({
      result: 0,
      output: { status: 'ok', ext: { files: [] } },
    });
  });

  it('is read without any file', () => {
    const read = dataOf('events', 'fileupload_progress', { output: { status: 'file_pull' } });
    expect(read).toEqual({ result: 0, output: { status: 'file_pull', ext: { files: [] } } });
  });

  it('is read as the table of 1.2 has it, without a word for the whole: then it goes on (E12)', () => {
    const read = dataOf('events', 'fileupload_progress', {
      ext: { files: [{ module: '3', progress: { prgress: 7 } }] },
    });
    expect(read).toEqual({
      result: 0,
      output: { status: 'in_progress', ext: { files: [{ module: '3', progress: { progress: 7 } }] } },
    });
  });

  it.each(['', null])('takes a number that is %j for none, in both spellings (E9, L1)', (none) => {
    const numbers = { current_step: none, total_step: none, finish_time: none, upload_rate: none, result: none };
    const files = [{ module: '0', size: none, key: '', fingerprint: '', progress: { ...numbers, prgress: none } }];
    const read = dataOf('events', 'fileupload_progress', { result: none, output: { status: 'ok', ext: { files } } });
    const file = { module: '0', key: '', fingerprint: '', progress: {} };
    expect(read).toEqual({ result: 0, output: { status: 'ok', ext: { files: [file] } } });
  });

  it.each([{ ext: '' }, { ext: { files: '' } }, { ext: { files: null } }])('is read with no files but %j', (given) => {
    const read = dataOf('events', 'fileupload_progress', { output: { status: 'failed', ...given } });
    expect(read).toEqual({ result: 0, output: { status: 'failed', ext: { files: [] } } });
  });

  it('falls back to the wrong spelling where the right one is empty (L1)', () => {
    const files = [{ module: '3', progress: { prgress: 3, progress: '' } }];
    expect(dataOf('events', 'fileupload_progress', { output: { status: 'ok', ext: { files } } })).toMatchObject({
      output: { ext: { files: [{ progress: { progress: 3 } }] } },
    });
  });

  it('keeps a word that nobody documents (L9), which ends nothing', () => {
    const read = dataOf('events', 'fileupload_progress', { output: { status: 'file_encrypting' } });
    expect(read).toMatchObject({ output: { status: 'file_encrypting' } });
    expect(isTerminalLogStatus('file_encrypting')).toBe(false);
  });

  it('prefers the right spelling of the progress (L1)', () => {
    const files = [{ module: '3', progress: { prgress: 3, progress: 4 } }];
    expect(dataOf('events', 'fileupload_progress', { output: { status: 'ok', ext: { files } } })).toMatchObject({
      output: { ext: { files: [{ progress: { progress: 4 } }] } },
    });
  });

  it('is refused without a status', () => {
    expect(reasonFor('events', 'fileupload_progress', { output: {} })).toContain('status');
  });
});

it.each([
  [319018, true],
  [325009, true],
  [324015, false],
  [324013, false],
])('takes the answer %d to a log command for "later": %s', (code, later) => {
  expect(isBusyForLogs(code)).toBe(later);
});

it.each([...BUSY_FOR_LOGS])('says "later" in the catalogue, too, of the answer %d to a log command', (code) => {
  expect(errorCode(code)?.retry).toBe('later');
});

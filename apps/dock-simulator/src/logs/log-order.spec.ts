import { readModules, readOrder } from './log-order.js';

const dock = { sn: 'DOCK', aircraftSn: 'DOCKA', dialect: 'newest' } as const;
const oldDock = { ...dock, dialect: 'seed' } as const;
const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 5);

const aFile = (changes: object = {}): object => ({
  ...{ object_key: 'logs/3.tar', module: '3', device_sn: 'DOCK', list: [{ boot_index: 41 }, { boot_index: 42 }] },
  ...changes,
});

const aCommand = (files: unknown, changes: object = {}) => ({
  ...{ bucket: 'b', endpoint: 'http://127.0.0.1:1', region: 'r', provider: 'minio', params: { files } },
  credentials: { access_key_id: 'k', access_key_secret: 's', security_token: 't', expire: NOW_MS + 3_600_000 },
  ...{ file_store_dir: 'logs/old/', file_type: 'text_log' },
  ...changes,
});

describe('the order of an upload', () => {
  it('names the object, the boots and the storage', () => {
    const order = readOrder(aCommand([aFile()]), dock, NOW_MS);
    expect(order?.files).toEqual([{ module: '3', key: 'logs/3.tar', bootIndexes: [41, 42] }]);
    expect(order?.access).toMatchObject({ bucket: 'b', provider: 'minio', accessKeyId: 'k', securityToken: 't' });
  });

  it('may leave the device out, or blank, and may write numbers as text and a boot twice', () => {
    const list = [{ boot_index: '7', size: 1 }, { boot_index: 7 }];
    const files = [aFile({ device_sn: '', module: 0, list }), aFile({ device_sn: undefined })];
    expect(readOrder(aCommand(files), dock, NOW_MS)?.files).toMatchObject([
      { module: '0', bootIndexes: [7] },
      { module: '3', bootIndexes: [41, 42] },
    ]);
  });

  it.each([['logs/old/'], ['logs/old']])('lets old firmware name its objects itself below %s', (file_store_dir) => {
    const order = readOrder(aCommand([aFile()], { file_store_dir }), oldDock, NOW_MS);
    expect(order?.files[0]?.key).toBe('logs/old/DOCK/log_20260131_120005.log');
  });

  it.each([
    ['no storage', aCommand([aFile()], { bucket: '' })],
    ['no files', aCommand([])],
    ['no key', aCommand([aFile({ object_key: '' })])],
    ['no boots', aCommand([aFile({ list: [] })])],
    ['a boot without an index', aCommand([aFile({ list: [{ boot_index: 41 }, {}] })])],
    ['an unknown module', aCommand([aFile({ module: '1' })])],
    ['another device', aCommand([aFile({ device_sn: 'DOCKA' })])],
    ['one module twice', aCommand([aFile(), aFile({ object_key: 'other' })])],
    ['one bad file among good ones', aCommand([aFile(), aFile({ module: '0', list: 'all' })])],
  ])('is of no use with %s', (_, data) => {
    expect(readOrder(data, dock, NOW_MS)).toBeUndefined();
  });

  it('is of no use to old firmware without a directory', () => {
    expect(readOrder(aCommand([aFile()], { file_store_dir: '' }), oldDock, NOW_MS)).toBeUndefined();
  });
});

describe('a list of modules', () => {
  it('is read with each module once', () => {
    expect(readModules(['3', '0', 3])).toEqual(['3', '0']);
  });

  it.each([[[]], [undefined], [['3', '1']], ['3']])('is of no use as %j', (list) => {
    expect(readModules(list)).toBeUndefined();
  });
});

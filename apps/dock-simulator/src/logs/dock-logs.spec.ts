import { jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { makeContext } from '../context.js';
import type { Moment } from '../fault-words.js';
import type { Fact } from '../journal.js';
import { Outbox } from '../outbox.js';
import type { Verdict } from '../pilot.js';
import type { DockOptions } from '../settings.js';
import { FakeObjectStorage } from '../storage/object-storage.fake.js';
import { arrayOf, type Json, objectOf } from '../wire.js';
import { DockLogs } from './dock-logs.js';
import type { LogModule } from './log-boots.js';

/** Megabytes are made, signed and uploaded: a busy machine needs a while, and each wait ends with its fact. */
const WAIT_MS = 50_000;
jest.setTimeout(60_000);
const BID = 'a-job';
const MIB = 1024 * 1024;

/** The logs of a dock, whose pilot flies what `flightId` says, before a storage. An export has the two newest boots. */
class Bench {
  readonly logs: DockLogs;
  readonly moments: [Moment, string][] = [];
  onMoment: () => void = () => undefined;
  flightId: string | undefined;
  speed = 10_000;
  readonly context;
  private readonly outbox: Outbox;

  constructor(options: Partial<DockOptions>) {
    this.context = makeContext({ sn: 'DOCK', logBytes: 1_000, progressIntervalMs: 60_000, ...options });
    this.outbox = new Outbox(this.context, () => true);
    this.logs = new DockLogs(this.context, this.outbox, this, (moment, bid) => {
      this.moments.push([moment, bid]);
      this.onMoment();
    });
  }

  command(method: 'list' | 'start' | 'update', data: Json, bid = BID): Verdict {
    const verdict = this.logs[method]({ tid: 't', bid, method, data });
    verdict.afterwards?.();
    return verdict;
  }

  /** Of the newest boots of these modules. */
  order(modules: readonly LogModule[], changes: Json = {}): Json {
    const { output } = storage.config('') as { output: Json };
    const files = modules.map((module) => ({
      object_key: `logs/${module}.tar`,
      module,
      list: this.logs.boots
        .of(module)
        .slice(-2)
        .map(({ bootIndex }) => ({ boot_index: bootIndex })),
    }));
    return { ...output, params: { files }, file_store_dir: 'logs/old', ...changes };
  }

  start(...modules: LogModule[]): number {
    return this.command('start', this.order(modules)).result;
  }

  get events(): Json[] {
    return this.context.journal.eventsSent.map(({ data }) => objectOf(objectOf(data)['output']));
  }

  get statuses(): unknown[] {
    return this.events.map(({ status }) => status);
  }

  /** What the last event said of this file. */
  lastOf(module: LogModule): Json {
    const files = arrayOf(objectOf(this.events.at(-1)?.['ext'])['files']).map(objectOf);
    return files.find((file) => file['module'] === module) ?? {};
  }

  noted(name: Fact['name']): Fact['detail'][] {
    return this.context.journal.facts.filter((fact) => fact.name === name).map(({ detail }) => detail);
  }

  until(name: Fact['name'], count = 1): Promise<void> {
    return this.context.journal.waitUntil(() => this.noted(name).length >= count, WAIT_MS, `${count} ${name}`);
  }
}

let storage: FakeObjectStorage;
let bench: Bench;

function aBench(options: Partial<DockOptions> = {}): void {
  bench = new Bench(options);
}

async function exported(...modules: LogModule[]): Promise<unknown> {
  expect(bench.start(...modules)).toBe(0);
  await bench.until('logExportEnded');
  return bench.noted('logExportEnded')[0]?.['status'];
}

const md5 = (bytes: Buffer | undefined): string =>
  createHash('md5')
    .update(bytes ?? '')
    .digest('hex');

beforeEach(async () => {
  storage = await FakeObjectStorage.start();
});
afterEach(async () => {
  bench.logs.halt();
  await storage.stop();
});

describe('a list of logs', () => {
  it('has the boots of each module that was asked for', () => {
    aBench();
    const { result, body } = bench.command('list', { module_list: ['0', '3'] });
    expect(result).toBe(0);
    expect(body).toMatchObject({
      result: 0,
      files: [
        { module: '0', device_sn: 'DOCKA', result: 0 },
        { module: '3', device_sn: 'DOCK', result: 0 },
      ],
    });
    expect(arrayOf(body?.['files']).map((file) => arrayOf(objectOf(file)['list']).length)).toEqual([5, 5]);
  });

  it('has none of an aircraft that is off', () => {
    aBench({ faults: 'aircraft-off' });
    const { body } = bench.command('list', { module_list: ['0', '3'] });
    expect(body).toMatchObject({ result: 0, files: [{ result: 324015, list: [] }, { result: 0 }] });
  });

  it('is refused for a module that there is not', () => {
    aBench();
    expect(bench.command('list', { module_list: ['0', '9'] })).toEqual({ result: 325001 });
  });
});

describe('an export', () => {
  it('puts one archive for each module under its key, and tells each phase under the id of the command', async () => {
    aBench();
    expect(await exported('0', '3')).toBe('ok');
    expect([...storage.objects.keys()]).toEqual(['logs/0.tar', 'logs/3.tar']);
    expect(bench.statuses).toEqual([
      ...['file_pull', 'file_pull', 'file_pull', 'file_pull'],
      ...['file_pull', 'file_zip', 'file_uploading', 'ok'],
    ]);
    const { eventsSent } = bench.context.journal;
    expect(eventsSent.every(({ bid, needReply }) => bid === BID && !needReply)).toBe(true);
    for (const module of ['0', '3'] as const) {
      const object = storage.objects.get(`logs/${module}.tar`);
      const fingerprint = md5(object);
      expect(bench.lastOf(module)).toMatchObject({ size: object?.length, fingerprint, progress: { progress: 100 } });
    }
  });

  it('is in the lists of what was stored, and begins and ends in the journal', async () => {
    aBench();
    await exported('3');
    const bootIndexes = bench.logs.boots
      .of('3')
      .slice(-2)
      .map(({ bootIndex }) => bootIndex);
    const object = storage.objects.get('logs/3.tar');
    const stored = { bid: BID, module: '3', key: 'logs/3.tar', sizeBytes: object?.length, md5: md5(object) };
    expect(bench.context.journal.logUploads).toEqual([{ ...stored, bootIndexes }]);
    expect(bench.noted('logExportBegan')).toEqual([{ bid: BID, files: 1 }]);
    expect(bench.noted('logFileUploaded')).toEqual([stored]);
    expect(bench.noted('logExportEnded')).toEqual([{ bid: BID, status: 'ok' }]);
    expect(bench.logs.exporting).toBe(false);
  });

  it('has the same bytes whenever the same boots are asked for', async () => {
    aBench();
    await exported('3');
    const first = storage.objects.get('logs/3.tar');
    bench.start('3');
    await bench.until('logExportEnded', 2);
    expect(storage.objects.get('logs/3.tar')).toEqual(first);
  });

  it('goes in parts when it is large', async () => {
    aBench({ logBytes: 3 * MIB });
    expect(await exported('3')).toBe('ok');
    expect(storage.requests.filter(({ part }) => Number(part) > 0)).toHaveLength(2);
    expect(bench.lastOf('3')).toMatchObject({ fingerprint: md5(storage.objects.get('logs/3.tar')) });
  });

  it('goes below the directory that old firmware was given', async () => {
    aBench({ dialect: 'seed' });
    await exported('0');
    expect([...storage.objects.keys()]).toEqual([expect.stringMatching(/^logs\/old\/DOCKA\/log_\d{8}_\d{6}\.log$/)]);
  });

  it('says between phases how far it is', async () => {
    aBench({ progressIntervalMs: 5 });
    bench.speed = 20;
    bench.start('3');
    const told = (): number => Number(objectOf(bench.lastOf('3')['progress'])['progress']);
    await bench.context.journal.waitUntil(() => told() > 0, WAIT_MS, 'a percentage');
    expect(bench.statuses.at(-1)).toBe('file_pull');
  });
});

describe('an export is refused', () => {
  const answer = (modules: LogModule[], changes?: Json): number =>
    bench.command('start', bench.order(modules, changes)).result;

  it('while another runs', () => {
    aBench();
    expect([bench.start('3'), bench.start('0')]).toEqual([0, 319018]);
    expect(bench.noted('logExportBegan')).toHaveLength(1);
  });

  it('while a mission flies', () => {
    aBench();
    bench.flightId = 'a-flight';
    expect(bench.start('3')).toBe(319016);
  });

  it('when it asks for nothing that can be read, or for a boot that there was not', () => {
    aBench();
    const files = [{ object_key: 'k', module: '3', list: [{ boot_index: 1 }] }];
    expect(answer([])).toBe(325001);
    expect(answer([], { params: { files } })).toBe(324014);
  });

  it('when the aircraft is asked for and off, and not when only the dock is', () => {
    aBench({ faults: 'aircraft-off' });
    expect([answer(['3', '0']), answer(['3'])]).toEqual([324015, 0]);
  });

  it('for a provider that a simulated dock does not speak to, which the journal says', () => {
    aBench();
    expect(answer(['3'], { provider: 'ali' })).toBe(324019);
    expect(bench.noted('refused')).toMatchObject([{ because: expect.stringContaining('ali') as string }]);
    expect(bench.logs.exporting).toBe(false);
  });
});

describe('a canceled export', () => {
  const cancel = (...modules: string[]): Verdict => bench.command('update', { status: 'cancel', module_list: modules });

  it('ends at once, and says so', async () => {
    const release = storage.hold();
    aBench();
    bench.start('0', '3');
    await storage.until(() => storage.requests.length === 1);
    expect(cancel('0', '3').result).toBe(0);
    expect(bench.logs.exporting).toBe(false);
    expect(bench.statuses.at(-1)).toBe('canceled');
    expect(bench.noted('logExportEnded')).toEqual([{ bid: BID, status: 'canceled' }]);
    await storage.until(() => storage.cut === 1);
    release();
    expect(storage.objects.size).toBe(0);
  });

  it('leaves a file that is in the storage as it is', async () => {
    aBench();
    storage.refuses = ({ key }) => {
      if (key === 'logs/3.tar') cancel('3');
      return undefined;
    };
    expect(await exported('0', '3')).toBe('canceled');
    expect(bench.lastOf('0')).toMatchObject({ progress: { status: 'ok' } });
    expect(bench.lastOf('3')).toMatchObject({ fingerprint: '', progress: { status: 'canceled' } });
  });

  it('makes room for another', async () => {
    aBench();
    bench.speed = 1;
    bench.start('3');
    cancel('3');
    bench.speed = 10_000;
    bench.start('3');
    await bench.until('logExportEnded', 2);
    expect(bench.noted('logExportEnded').map(({ status }) => status)).toEqual(['canceled', 'ok']);
  });

  it('is nothing when none runs, or none of these modules, and the words have to be right', () => {
    aBench();
    expect(cancel('3')).toEqual({ result: 0 });
    bench.start('3');
    expect(cancel('0')).toEqual({ result: 0 });
    expect(bench.command('update', { status: 'pause', module_list: ['3'] })).toEqual({ result: 325001 });
    expect(bench.logs.exporting).toBe(true);
  });
});

describe('an export that meets trouble', () => {
  it.each([
    [{ status: 400, code: 'ExpiredToken' }, 324019],
    [{ status: 403, code: 'QuotaExceeded' }, 324019],
    [{ status: 503, code: 'SlowDown' }, 324020],
  ])('of the storage that answers %j fails once with %i, and goes on with the next file', async (refusal, result) => {
    storage.refuses = ({ key }) => (key === 'logs/0.tar' ? refusal : undefined);
    aBench();
    expect(await exported('0', '3')).toBe('failed');
    expect(bench.lastOf('0')).toMatchObject({ fingerprint: '', progress: { status: 'failed', result } });
    expect(bench.lastOf('3')).toMatchObject({ progress: { status: 'ok', result: 0 } });
    expect(bench.noted('logFileFailed')).toMatchObject([{ module: '0', result, code: refusal.code }]);
    expect(storage.requests).toHaveLength(2);
  });

  it('of a dock that is rebooted is never heard of again', async () => {
    storage.hold();
    aBench();
    bench.start('3');
    await storage.until(() => storage.requests.length === 1);
    const said = bench.events.length;
    const bootIndex = bench.logs.boots.of('3').at(-1)?.bootIndex ?? 0;
    bench.logs.reboot();
    await storage.until(() => storage.cut === 1);
    expect(bench.events).toHaveLength(said);
    expect(bench.noted('logExportEnded')).toEqual([{ bid: BID, status: 'reboot' }]);
    expect(bench.logs.boots.of('3').at(-1)?.bootIndex).toBe(bootIndex + 1);
  });

  it('of a dock that is rebooted in its middle leaves its parts behind', async () => {
    aBench({ logBytes: 6 * MIB });
    storage.refuses = ({ part }) => {
      if (part === '2') bench.logs.reboot();
      return undefined;
    };
    bench.start('3');
    await bench.until('logExportEnded');
    expect(storage.openUploads.size).toBe(1);
    expect(storage.objects.size).toBe(0);
  });

  it('can be struck when its first file is about to be uploaded, once', async () => {
    aBench();
    const phases: unknown[] = [];
    bench.onMoment = () => phases.push(objectOf(bench.lastOf('0')['progress'])['status']);
    await exported('0', '3');
    expect(bench.moments).toEqual([['exporting', BID]]);
    expect(phases).toEqual(['file_uploading']);
  });
});

describe('faults of an export', () => {
  it('log-keys-expire: breaks off half-way and leaves nothing', async () => {
    aBench({ faults: 'log-keys-expire', logBytes: 6 * MIB });
    expect(await exported('3')).toBe('failed');
    expect(bench.lastOf('3')).toMatchObject({ fingerprint: '', progress: { status: 'failed', result: 324019 } });
    expect(storage.requests.filter(({ part }) => Number(part) > 0)).not.toHaveLength(0);
    expect([storage.objects.size, storage.openUploads.size]).toEqual([0, 0]);
  });

  it('log-half: uploads the first file only', async () => {
    aBench({ faults: 'log-half' });
    expect(await exported('0', '3')).toBe('failed');
    expect([...storage.objects.keys()]).toEqual(['logs/0.tar']);
    expect(bench.lastOf('3')).toMatchObject({ progress: { status: 'failed', result: 324020 } });
  });

  it('log-half: fails when there is one file', async () => {
    aBench({ faults: 'log-half' });
    expect(await exported('3')).toBe('failed');
    expect(storage.objects.size).toBe(0);
  });

  it('log-fingerprint: tells a wrong one', async () => {
    aBench({ faults: 'log-fingerprint' });
    expect(await exported('3')).toBe('ok');
    const { fingerprint } = bench.lastOf('3');
    expect(fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprint).not.toBe(md5(storage.objects.get('logs/3.tar')));
  });

  it('log-last-event: does not say that it is over', async () => {
    aBench({ faults: 'log-last-event' });
    expect(await exported('3')).toBe('ok');
    expect(bench.statuses).toEqual(['file_pull', 'file_zip', 'file_uploading']);
    expect(storage.objects.size).toBe(1);
  });

  it('log-elsewhere: tells of a key that it was not given', async () => {
    aBench({ faults: 'log-elsewhere' });
    expect(await exported('3')).toBe('ok');
    expect(bench.lastOf('3')).toMatchObject({ key: 'elsewhere/logs/3.tar' });
    expect([...storage.objects.keys()]).toEqual(['logs/3.tar']);
  });

  it('log-claims-ok: says what it would have uploaded, and uploads nothing', async () => {
    aBench({ faults: 'log-claims-ok' });
    expect(await exported('3')).toBe('ok');
    expect(bench.lastOf('3')).toMatchObject({ fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
    expect(storage.requests).toEqual([]);
    expect(bench.context.journal.logUploads).toEqual([]);
  });

  it('log-short: uploads less than it says', async () => {
    aBench({ faults: 'log-short' });
    expect(await exported('3')).toBe('ok');
    const object = storage.objects.get('logs/3.tar');
    expect(object?.length).toBeLessThan(Number(bench.lastOf('3')['size']));
    expect(bench.lastOf('3')['fingerprint']).not.toBe(md5(object));
    expect(bench.context.journal.logUploads).toMatchObject([{ sizeBytes: object?.length, md5: md5(object) }]);
  });

  it('are drawn for each export anew', async () => {
    aBench({ faults: 'log-claims-ok' });
    await exported('3');
    bench.context.faults.clear();
    bench.start('3');
    await bench.until('logExportEnded', 2);
    expect(bench.noted('fault')).toEqual([{ kind: 'log-claims-ok', bid: BID }]);
    expect(storage.objects.size).toBe(1);
  });
});

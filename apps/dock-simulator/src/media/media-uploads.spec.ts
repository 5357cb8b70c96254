import { makeContext } from '../context.js';
import { Inquiries } from '../inquiries.js';
import type { Fact } from '../journal.js';
import { Outbox } from '../outbox.js';
import type { DockOptions } from '../settings.js';
import { FakeObjectStorage } from '../storage/object-storage.fake.js';
import { type Json, objectOf } from '../wire.js';
import { MediaUploads } from './media-uploads.js';

const WAIT_MS = 20_000;
const place = { latitude: 47.4, longitude: 8.5, elevationMeters: 60 };
const photos = (count: number): (typeof place)[] => Array<typeof place>(count).fill(place);

interface Said {
  readonly method: string;
  readonly tid: string;
  readonly need_reply?: number;
  readonly data: Json;
}

/** The media of a dock, between a cloud that gives out these answers in turn, the last one for ever, and a storage. */
class Bench {
  readonly said: Said[] = [];
  readonly media: MediaUploads;
  /** How many files waited at each fact. */
  readonly waitingAt: [Fact['name'], number][] = [];
  private readonly context;
  private readonly inquiries: Inquiries;
  private readonly outbox: Outbox;

  constructor(
    private readonly answers: (Json | 'silence')[],
    options: Partial<DockOptions> = {},
  ) {
    this.context = makeContext({
      ...{ sn: 'DOCK', mediaBytes: 100, storageRetryMs: 1, requestTimeoutMs: 1, requestAttempts: 1 },
      onFact: ({ name }) => this.waitingAt.push([name, this.media.waitingCount]),
      ...options,
    });
    const publish = (_topic: string, payload: string): boolean => this.hear(payload);
    this.inquiries = new Inquiries(this.context, publish);
    this.outbox = new Outbox(this.context, publish);
    this.media = new MediaUploads(this.context, this.outbox, this.inquiries);
  }

  get facts(): readonly Fact[] {
    return this.context.journal.facts;
  }

  get keys(): string[] {
    return this.context.journal.mediaUploaded.map(({ key }) => key);
  }

  of(method: string): Said[] {
    return this.said.filter((message) => message.method === method);
  }

  noted(name: Fact['name']): Fact['detail'][] {
    return this.facts.filter((fact) => fact.name === name).map(({ detail }) => detail);
  }

  until(name: Fact['name'], count = 1): Promise<void> {
    return this.context.journal.waitUntil(() => this.noted(name).length >= count, WAIT_MS, `${count} ${name}`);
  }

  stop(): void {
    this.media.halt();
    this.inquiries.abandon();
    this.outbox.forget();
  }

  private hear(payload: string): boolean {
    const message = JSON.parse(payload) as Said;
    this.said.push(message);
    const { tid } = message;
    if (message.need_reply === 1) {
      queueMicrotask(() => this.outbox.answered(tid, { result: 0 }));
      return true;
    }
    const answer = this.nextAnswer();
    if (answer !== 'silence') queueMicrotask(() => this.inquiries.answered(tid, answer));
    return true;
  }

  private nextAnswer(): Json | 'silence' {
    const [next = 'silence', ...rest] = this.answers;
    if (rest.length > 0) this.answers.shift();
    return next;
  }
}

let storage: FakeObjectStorage;
let bench: Bench;

function aBench(answers: (Json | 'silence')[] = [storage.config('media')], options: Partial<DockOptions> = {}): void {
  bench = new Bench(answers, options);
  bench.media.resume();
}

beforeEach(async () => {
  storage = await FakeObjectStorage.start();
});
afterEach(async () => {
  bench.stop();
  await storage.stop();
});

describe('the media of a flight', () => {
  it('are put below the prefix, and the cloud is told of each', async () => {
    aBench();
    bench.media.take('a-flight', photos(3));
    await bench.until('mediaUploaded', 3);
    expect([...storage.objects.keys()]).toEqual(bench.keys);
    expect(bench.keys.every((key) => /^media\/DJI_\d{12}_001_a-flight\/DJI_\d{14}_000\d_V.jpeg$/.test(key))).toBe(true);
    expect([...storage.objects.values()].map(({ length }) => length)).toEqual([100, 100, 100]);
    const told = bench.of('file_upload_callback');
    expect(told.map(({ data }) => objectOf(data['file'])['object_key'])).toEqual(bench.keys);
    expect(told.map(({ data }) => objectOf(data['flight_task'])['uploaded_file_count'])).toEqual([1, 2, 3]);
    expect(told.every(({ need_reply }) => need_reply === 1)).toBe(true);
  });

  it('count down while they are uploaded', async () => {
    aBench();
    bench.media.take('a-flight', photos(3));
    await bench.until('mediaUploaded', 3);
    const counted = bench.waitingAt.filter(([name]) => name === 'mediaTaken' || name === 'mediaUploaded');
    expect(counted.map(([, waiting]) => waiting)).toEqual([3, 2, 1, 0]);
  });

  it('of a second flight go below the same prefix, without another question (D7)', async () => {
    aBench([storage.config('first'), storage.config('second')]);
    bench.media.take('one', photos(1));
    await bench.until('mediaUploaded');
    bench.media.take('two', photos(1));
    await bench.until('mediaUploaded', 2);
    expect(bench.keys.every((key) => key.startsWith('first/'))).toBe(true);
    expect(bench.of('storage_config_get')).toHaveLength(1);
  });

  it('are not uploaded, and nobody is asked, by a dock that uploads nothing', () => {
    aBench(undefined, { mediaBytes: 0 });
    bench.media.take('a-flight', photos(3));
    expect(bench.media.waitingCount).toBe(0);
    expect(bench.said).toEqual([]);
  });

  it('are lost when too many wait already', () => {
    bench = new Bench([]);
    bench.media.take('one', photos(999));
    bench.media.take('two', photos(3));
    expect(bench.media.waitingCount).toBe(1_000);
    expect(bench.noted('mediaTaken').at(-1)).toEqual({ flightId: 'two', files: 1, lost: 2 });
  });
});

describe('a storage', () => {
  it('that refuses is tried with new keys, below the first prefix', async () => {
    storage.refuses = ({ accessKeyId }) => (accessKeyId === 'OLD' ? { status: 400, code: 'ExpiredToken' } : undefined);
    aBench([storage.config('first', { accessKeyId: 'OLD' }), storage.config('second', { accessKeyId: 'NEW' })]);
    bench.media.take('a-flight', photos(2));
    await bench.until('mediaUploaded', 2);
    expect(bench.noted('mediaRefused')).toMatchObject([{ code: 'ExpiredToken', attempt: 1 }]);
    expect(bench.keys.every((key) => key.startsWith('first/'))).toBe(true);
    expect(bench.of('storage_config_get')).toHaveLength(2);
  });

  it('that refuses is tried three times for a file, which then waits for another mission while the others pass', async () => {
    storage.refuses = ({ key }) => (key.includes('_0001_V') ? { status: 403, code: 'AccessDenied' } : undefined);
    aBench();
    bench.media.take('one', photos(2));
    await bench.until('mediaUploaded');
    expect(bench.noted('mediaRefused').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(bench.noted('mediaLeft')).toMatchObject([{ flightId: 'one', because: 'AccessDenied' }]);
    expect(bench.media.waitingCount).toBe(1);
    storage.refuses = () => undefined;
    bench.media.take('two', photos(1));
    await bench.until('mediaUploaded', 3);
    expect(bench.media.waitingCount).toBe(0);
  });

  it('that refuses is asked about once for each attempt', async () => {
    storage.refuses = () => ({ status: 403, code: 'AccessDenied' });
    aBench();
    bench.media.take('a-flight', photos(2));
    await bench.until('mediaLeft', 2);
    expect(storage.requests).toHaveLength(6);
    expect(bench.of('storage_config_get')).toHaveLength(6);
  });

  it('that is in trouble is tried again with the same keys', async () => {
    let failures = 2;
    storage.refuses = () => (failures-- > 0 ? { status: 503, code: 'SlowDown' } : undefined);
    aBench();
    bench.media.take('a-flight', photos(1));
    await bench.until('mediaUploaded');
    expect(bench.noted('mediaFailed').map(({ code }) => code)).toEqual(['SlowDown', 'SlowDown']);
    expect(bench.of('storage_config_get')).toHaveLength(1);
  });

  it('of a provider that a simulated dock does not speak to is said to be that, and nothing is pretended', async () => {
    aBench([storage.config('media', { provider: 'ali' })]);
    bench.media.take('a-flight', photos(1));
    await bench.until('mediaLeft');
    expect(bench.noted('mediaLeft')).toMatchObject([{ because: expect.stringContaining('ali') as string }]);
    expect(storage.requests).toEqual([]);
    expect(bench.of('file_upload_callback')).toEqual([]);
  });
});

describe('a cloud that gives no storage', () => {
  it('is asked again until it does', async () => {
    aBench([{ result: 314000 }, 'silence', storage.config('media')]);
    bench.media.take('a-flight', photos(1));
    await bench.until('mediaUploaded');
    expect(bench.noted('refused')).toEqual([{ method: 'storage_config_get', result: 314000 }]);
  });

  it('is asked five times, and again when the dock has been away', async () => {
    aBench([{ result: 314000 }]);
    bench.media.take('a-flight', photos(1));
    await bench.until('mediaLeft');
    expect(bench.of('storage_config_get')).toHaveLength(5);
    bench.media.halt();
    bench.media.resume();
    await bench.until('mediaLeft', 2);
    expect(bench.of('storage_config_get')).toHaveLength(10);
    expect(bench.media.waitingCount).toBe(1);
  });
});

describe('a dock that is away', () => {
  it('uploads nothing until it is online', async () => {
    bench = new Bench([storage.config('media')]);
    bench.media.take('a-flight', photos(1));
    expect(bench.said).toEqual([]);
    bench.media.resume();
    await bench.until('mediaUploaded');
  });

  it('ends an upload in its middle, and begins it anew when it is back', async () => {
    const release = storage.hold();
    aBench();
    bench.media.take('a-flight', photos(2));
    await storage.until(() => storage.requests.length === 1);
    bench.media.halt();
    await storage.until(() => storage.cut === 1);
    expect(bench.media.waitingCount).toBe(2);
    release();
    bench.media.resume();
    await bench.until('mediaUploaded', 2);
    expect(bench.noted('mediaFailed')).toEqual([]);
  });

  it('because of a reboot keeps its files and forgets the storage (D7)', async () => {
    const release = storage.hold();
    aBench([storage.config('first'), storage.config('second')]);
    bench.media.take('a-flight', photos(2));
    await storage.until(() => storage.requests.length === 1);
    bench.media.reboot();
    release();
    bench.media.resume();
    await bench.until('mediaUploaded', 2);
    expect(bench.keys.every((key) => key.startsWith('second/'))).toBe(true);
    expect(bench.of('storage_config_get')).toHaveLength(2);
  });
});

import {
  MINUTE_MS,
  NOON,
  aFile,
  anUpload,
  checked,
  done,
  ended,
  listed,
  requested,
  step,
  told,
} from './fixtures/uploads.js';
import { EVENT_TYPES, type Row, decide, transitions } from './upload.machine.js';
import { DEFAULT_TIMING } from './upload.timing.js';
import {
  ACTIVE_STATES,
  type EventType,
  type LogUpload,
  OUTCOMES,
  STATES,
  type UploadEvent,
  type UploadState,
} from './upload.types.js';

const rowsOf = (event: EventType): readonly Row<EventType>[] => transitions[event] as readonly Row<EventType>[];
const targetsOf = ({ from, to }: Row<EventType>): readonly UploadState[] =>
  to === 'unchanged' ? from : typeof to === 'string' ? [to] : to.oneOf;

/** One event of a type, as it means most: about the present attempt of `anUpload`. */
const anEvent = (type: EventType): UploadEvent =>
  ({
    ...{ type, attempt: 1, dockResult: 324_019, because: 'dock_taken', phase: 'zipping' },
    ...{ atMs: NOON + MINUTE_MS, sentAtMs: NOON, untilMs: NOON + 10 * MINUTE_MS, freeAtMs: null },
    files: type === 'listAnswered' ? anUpload().files : [],
  }) as unknown as UploadEvent;

const inState = (state: UploadState): LogUpload[] => [
  anUpload({ state }),
  anUpload({ state, dockMayExport: false, dockUntilMs: null }),
];
const starting = (overrides: Partial<LogUpload> = {}): LogUpload =>
  anUpload({ state: 'starting', heardAtMs: null, ...overrides });
/** The dock tells that it exports. */
const progressOf = (attempt: number): UploadEvent => ({ type: 'exportTold', attempt, phase: 'pulling', files: [] });
const listing = (overrides: Partial<LogUpload> = {}): LogUpload =>
  requested({ state: 'listing', listCount: 1, ...overrides });

describe('the table of the lifecycle', () => {
  it('lists no state twice in one row', () => {
    const double = EVENT_TYPES.filter((event) => rowsOf(event).some(({ from }) => new Set(from).size < from.length));
    expect(double).toEqual([]);
  });

  it('reaches every state from requested', () => {
    const reached = new Set<UploadState>(['requested']);
    for (let before = 0; before < reached.size;) {
      before = reached.size;
      for (const row of EVENT_TYPES.flatMap(rowsOf)) {
        if (row.from.some((state) => reached.has(state))) targetsOf(row).forEach((state) => reached.add(state));
      }
    }
    expect([...reached].sort()).toEqual([...STATES].sort());
  });

  it('leads out of every state that is no outcome', () => {
    const stuck = ACTIVE_STATES.filter((state) =>
      EVENT_TYPES.every((event) =>
        rowsOf(event).every((row) => !row.from.includes(state) || targetsOf(row).includes(state)),
      ),
    );
    expect(stuck).toEqual([]);
  });

  it.each(OUTCOMES)('never leaves %s', (outcome) => {
    const rows = EVENT_TYPES.flatMap(rowsOf).filter(({ from }) => from.includes(outcome));
    expect(rows.filter(({ to }) => to !== 'unchanged' && to !== outcome)).toEqual([]);
  });

  it.each(OUTCOMES)('orders nothing of an upload that is %s', (outcome) => {
    const rows = EVENT_TYPES.flatMap(rowsOf).filter(({ from }) => from.includes(outcome));
    expect(rows.flatMap(({ effects }) => effects ?? [])).toEqual([]);
  });

  it.each(EVENT_TYPES)('ends in the same state whether %s comes once or twice', (type) => {
    for (const upload of STATES.flatMap(inState)) {
      const once = step(upload, anEvent(type));
      const twice = step(once, anEvent(type));
      expect({ from: upload.state, to: twice.state }).toEqual({ from: upload.state, to: once.state });
    }
  });

  it('orders a start in one row only', () => {
    const rows = EVENT_TYPES.filter((event) => rowsOf(event).some(({ effects }) => effects?.includes('sendStart')));
    expect(rows).toEqual(['dockGranted']);
  });

  it('tells the dock to stop wherever it begins to wait for that', () => {
    const rows = EVENT_TYPES.flatMap(rowsOf).filter(
      (row) => row.to !== 'unchanged' && targetsOf(row).includes('stopping') && !row.from.includes('stopping'),
    );
    expect(rows.filter(({ effects }) => effects?.includes('sendStop') !== true)).toEqual([]);
  });

  it('looks into the storage wherever it begins to verify', () => {
    const rows = EVENT_TYPES.flatMap(rowsOf).filter(
      (row) => row.to === 'verifying' && !row.effects?.includes('checkObjects'),
    );
    expect(rows).toEqual([]);
  });

  it('calls nothing stored but what it looked for', () => {
    const rows = EVENT_TYPES.filter((event) =>
      rowsOf(event).some((row) => row.to !== 'unchanged' && targetsOf(row).includes('stored')),
    );
    expect(rows).toEqual(['objectsChecked']);
  });

  it('names the event and the state in a refusal', () => {
    expect(done(requested(), { type: 'yieldDue' })).toEqual({ refused: 'yieldDue is not possible while requested' });
  });

  it('remembers since when it is in a state', () => {
    expect(step(anUpload(), { type: 'exportSilent' }).sinceMs).toBe(NOON);
  });

  it('does not forget since when by what changes no state', () => {
    expect(step(anUpload(), { type: 'startAccepted', attempt: 1 }).sinceMs).toBe(anUpload().sinceMs);
  });

  it('counts every decision', () => {
    expect(step(requested(), { type: 'listDue' }).revision).toBe(2);
  });
});

describe('asking a dock what it has', () => {
  it('waits a minute for the list', () => {
    expect(done(requested(), { type: 'listDue' })).toEqual({
      state: 'listing',
      effects: ['sendList'],
      changed: { listCount: 1, nextActionAtMs: NOON + MINUTE_MS },
    });
  });

  it('forgets why it waited', () => {
    expect(step(requested({ cause: { code: 'dock_offline' } }), { type: 'listDue' }).cause).toBeNull();
  });

  it('asks again when nothing is answered', () => {
    expect(done(listing(), { type: 'listOverdue' })).toEqual({
      state: 'listing',
      effects: ['sendList'],
      changed: { listCount: 2, nextActionAtMs: NOON + MINUTE_MS },
    });
  });

  it('fails when a dock never answers', () => {
    expect(done(listing({ listCount: 3 }), { type: 'listGivenUp' })).toEqual({
      state: 'failed',
      effects: [],
      changed: { cause: { code: 'list_no_reply' }, heardAtMs: NOON, nextActionAtMs: null },
    });
  });

  it('asks for the dock as soon as it is known what it has', () => {
    expect(done(listing({ nextActionAtMs: NOON + MINUTE_MS }), { type: 'listAnswered', files: [aFile()] })).toEqual({
      state: 'listed',
      effects: [],
      changed: { files: [aFile()], nextActionAtMs: NOON },
    });
  });

  it('begins to count anew how often the dock could not be had', () => {
    expect(step(listing({ heldCount: 30 }), { type: 'listAnswered', files: [aFile()] }).heldCount).toBe(0);
  });

  it('goes on with the dock alone when the aircraft is off', () => {
    const off = aFile({
      module: 'aircraft',
      state: 'unavailable',
      problem: { code: 'aircraft_off', dockResult: 324_015 },
    });
    expect(step(listing(), { type: 'listAnswered', files: [aFile(), off] }).state).toBe('listed');
  });

  it('fails with the reason of the dock when there is nothing to be had', () => {
    const off = aFile({
      module: 'aircraft',
      state: 'unavailable',
      problem: { code: 'aircraft_off', dockResult: 324_015 },
    });
    expect(done(listing(), { type: 'listAnswered', files: [off] })).toMatchObject({
      state: 'failed',
      effects: [],
      changed: { cause: { code: 'aircraft_off', dockResult: 324_015 }, nextActionAtMs: null },
    });
  });

  it('fails when none of the modules was listed', () => {
    expect(step(listing(), { type: 'listAnswered', files: [] })).toMatchObject({
      state: 'failed',
      cause: { code: 'nothing_found' },
    });
  });

  it('asks a dock again that refused the list', () => {
    expect(done(listing(), { type: 'listRefused', dockResult: 324_013 })).toEqual({
      state: 'requested',
      effects: [],
      changed: { cause: { code: 'list_refused', dockResult: 324_013 }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('fails when the third list is refused', () => {
    expect(done(listing({ listCount: 3 }), { type: 'listRefused', dockResult: 324_013 })).toMatchObject({
      state: 'failed',
      changed: { cause: { code: 'list_refused', dockResult: 324_013 }, nextActionAtMs: null },
    });
  });

  it('waits for a dock that has no time for a list, which is no failure of it', () => {
    expect(done(listing({ listCount: 2 }), { type: 'listDeferred', dockResult: 319_001 })).toEqual({
      state: 'requested',
      effects: [],
      changed: {
        listCount: 0,
        heldCount: 1,
        cause: { code: 'dock_busy', dockResult: 319_001 },
        nextActionAtMs: NOON + 15_000,
      },
    });
  });

  it.each<UploadEvent>([
    { type: 'listAnswered', files: [aFile({ bootIndexes: [99] })] },
    { type: 'listRefused', dockResult: 324_013 },
    { type: 'listDeferred', dockResult: 319_001 },
  ])('takes a late answer for evidence only: %j', (event) => {
    expect(done(anUpload(), event)).toEqual({ state: 'uploading', effects: [], changed: {} });
  });

  it('waits for a dock that is away before it asks for a list', () => {
    expect(done(requested(), { type: 'dockHeld', because: 'dock_offline', freeAtMs: null })).toEqual({
      state: 'requested',
      effects: [],
      changed: { heldCount: 1, cause: { code: 'dock_offline' }, nextActionAtMs: NOON + 15_000 },
    });
  });
});

describe('having the dock', () => {
  it('asks again when a mission has it, not later than it is free', () => {
    expect(done(listed(), { type: 'dockHeld', because: 'mission_due', freeAtMs: NOON + MINUTE_MS })).toEqual({
      state: 'listed',
      effects: [],
      changed: { heldCount: 1, cause: { code: 'mission_due' }, nextActionAtMs: NOON + MINUTE_MS },
    });
  });

  it('forgets that a mission needs it once it has waited for that', () => {
    const upload = listed({ yieldAtMs: NOON });
    expect(step(upload, { type: 'dockHeld', because: 'mission_due', freeAtMs: null }).yieldAtMs).toBeNull();
  });

  it('starts the first attempt when the dock is granted', () => {
    expect(done(listed(), { type: 'dockGranted', untilMs: NOON + 10 * MINUTE_MS })).toEqual({
      state: 'starting',
      effects: ['sendStart'],
      changed: {
        attempt: 1,
        dockMayExport: true,
        dockUntilMs: NOON + 10 * MINUTE_MS,
        // Three times the estimate: 2 MB at 250 kB/s, and three minutes.
        attemptEndsByMs: NOON + 3 * (8_000 + 3 * MINUTE_MS),
        // The start leaves within fifteen seconds, and may be on its way for two.
        stopsCountFromMs: NOON + 17_000,
        nextActionAtMs: NOON + 90_000,
      },
    });
  });

  it('begins another attempt with nothing of the one before', () => {
    const before = listed({
      ...{ attempt: 1, failures: 1, stopFor: 'retry', stopCount: 3, keysEndAtMs: NOON, heardAtMs: NOON - 1 },
      ...{
        cause: { code: 'silent' },
        files: [aFile({ told: told() }), aFile({ module: 'aircraft', state: 'stored' })],
      },
    });
    expect(done(before, { type: 'dockGranted', untilMs: NOON + 10 * MINUTE_MS }).changed).toMatchObject({
      ...{ attempt: 2, stopFor: null, stopCount: 0, keysEndAtMs: null, heardAtMs: null, cause: null },
      files: [aFile(), aFile({ module: 'aircraft', state: 'stored' })],
    });
  });

  it('keeps what was told of an archive that is stored', () => {
    const stored = aFile({ state: 'stored', told: told() });
    const next = step(listed({ files: [stored, aFile({ module: 'aircraft' })] }), {
      type: 'dockGranted',
      untilMs: NOON,
    });
    expect(next.files[0]).toEqual(stored);
  });

  it('never lets an attempt last longer than six hours', () => {
    const next = step(listed({ files: [aFile({ expectedBytes: 1e12 })] }), { type: 'dockGranted', untilMs: NOON });
    expect(next.attemptEndsByMs).toBe(NOON + 6 * 60 * MINUTE_MS);
  });

  it('is reserved longer when it may be', () => {
    expect(done(anUpload(), { type: 'dockGranted', untilMs: NOON + 20 * MINUTE_MS })).toEqual({
      state: 'uploading',
      effects: [],
      changed: { dockUntilMs: NOON + 20 * MINUTE_MS },
    });
  });
});

describe('starting an export', () => {
  it('waits for progress once the dock has accepted', () => {
    expect(done(starting({ heldCount: 4 }), { type: 'startAccepted', attempt: 1 })).toEqual({
      state: 'pulling',
      effects: [],
      changed: { heardAtMs: NOON, heldCount: 0, nextActionAtMs: NOON + 90_000 },
    });
  });

  it('knows from the first word of the dock that the start has arrived', () => {
    const begun = starting({ stopsCountFromMs: NOON + 15_000 });
    const accepted = step(begun, { type: 'startAccepted', attempt: 1 });
    expect(accepted.stopsCountFromMs).toBe(NOON);
    expect(step(accepted, progressOf(1), NOON + 2_000).stopsCountFromMs).toBe(NOON);
    expect(step(begun, progressOf(1), NOON + 2_000).stopsCountFromMs).toBe(NOON + 2_000);
  });

  it('is not begun by a yes that comes after the attempt has ended', () => {
    const ended = listed({ attempt: 1, failures: 1 });
    expect(decide(ended, { type: 'startAccepted', attempt: 1 }, NOON, DEFAULT_TIMING).kind).toBe('refused');
    expect(decide(ended, progressOf(1), NOON, DEFAULT_TIMING).kind).toBe('refused');
  });

  describe('of which a dock was told twice', () => {
    const busy: UploadEvent = { type: 'startDeferred', attempt: 1, dockResult: 319_018 };
    const refused = step(starting(), busy);

    it.each<[string, UploadEvent]>([
      ['its yes comes after it said that it is busy', { type: 'startAccepted', attempt: 1 }],
      ['its yes is lost, and it tells of an export', progressOf(1)],
    ])('stops the dock when %s', (_what, event) => {
      expect(done(refused, event)).toMatchObject({
        state: 'stopping',
        effects: ['sendStop'],
        changed: { dockMayExport: true, stopFor: 'unexpected', stopCount: 1, isRefused: false },
      });
    });

    it('looks into the storage when it tells only of the end', () => {
      const ended: UploadEvent = { type: 'exportEnded', attempt: 1, files: [] };
      expect(done(refused, ended)).toMatchObject({ state: 'verifying', effects: ['checkObjects'] });
      expect(step(refused, ended).dockMayExport).toBe(false);
    });

    it('has not failed by that', () => {
      const begun = step(refused, { type: 'startAccepted', attempt: 1 });
      const stopped = step(begun, { type: 'stopAccepted', attempt: 1, sentAtMs: NOON + 1 });
      expect(step(stopped, checked('missing', 'missing'))).toMatchObject({
        state: 'listed',
        failures: 0,
        cause: { code: 'dock_busy' },
      });
    });

    it('says nothing of the next attempt', () => {
      const again = step(refused, { type: 'dockGranted', untilMs: NOON + 10 * MINUTE_MS });
      expect(again.isRefused).toBe(false);
      expect(decide(again, progressOf(1), NOON, DEFAULT_TIMING).kind).toBe('refused');
    });
  });

  it('tries again when the dock refuses, and gives it back meanwhile', () => {
    expect(done(starting(), { type: 'startRefused', attempt: 1, dockResult: 324_019 })).toEqual({
      state: 'listed',
      effects: ['releaseDock'],
      changed: {
        ...{ dockMayExport: false, dockUntilMs: null, attemptEndsByMs: null, heardAtMs: NOON, failures: 1 },
        isRefused: true,
        ...{ cause: { code: 'start_refused', dockResult: 324_019 }, nextActionAtMs: NOON + 10_000 },
      },
    });
  });

  it('fails when the third start is refused', () => {
    expect(done(starting({ failures: 2 }), { type: 'startRefused', attempt: 1, dockResult: 324_019 })).toMatchObject({
      state: 'failed',
      effects: ['releaseDock'],
      changed: { failures: 3, cause: { code: 'start_refused', dockResult: 324_019 }, nextActionAtMs: null },
    });
  });

  it('is partly stored when the third start is refused and an archive came before', () => {
    const files = [aFile({ state: 'stored' }), aFile({ module: 'aircraft' })];
    const next = step(starting({ failures: 2, files }), { type: 'startRefused', attempt: 1, dockResult: 324_019 });
    expect(next.state).toBe('partly_stored');
  });

  it('waits for a dock that has no time, which is no failure of it', () => {
    expect(done(starting({ failures: 2 }), { type: 'startDeferred', attempt: 1, dockResult: 319_018 })).toEqual({
      state: 'listed',
      effects: ['releaseDock'],
      changed: {
        ...{ dockMayExport: false, dockUntilMs: null, attemptEndsByMs: null, heardAtMs: NOON, heldCount: 1 },
        isRefused: true,
        ...{ cause: { code: 'dock_busy', dockResult: 319_018 }, nextActionAtMs: NOON + 15_000 },
      },
    });
  });

  it('waits longer each time', () => {
    const next = step(starting({ heldCount: 3 }), { type: 'startDeferred', attempt: 1, dockResult: 319_018 });
    expect(next.nextActionAtMs).toBe(NOON + 8 * 15_000);
  });

  it('waits when the start did not leave, which the dock knows nothing of', () => {
    expect(done(starting(), { type: 'sendRefused', attempt: 1 })).toEqual({
      state: 'listed',
      effects: ['releaseDock'],
      changed: {
        ...{ dockMayExport: false, dockUntilMs: null, attemptEndsByMs: null, heldCount: 1 },
        ...{ cause: { code: 'send_refused' }, nextActionAtMs: NOON + 15_000 },
      },
    });
  });

  it.each<UploadEvent>([
    { type: 'startDeferred', attempt: 99, dockResult: 319_018 },
    { type: 'sendRefused', attempt: 99 },
    { type: 'startRefused', attempt: 99, dockResult: 324_019 },
  ])('ends when there are no numbers left for attempts: %j', (event) => {
    expect(step(starting({ attempt: 99 }), event).state).toBe('failed');
  });

  it.each<UploadEvent>([
    { type: 'startRefused', attempt: 1, dockResult: 324_019 },
    { type: 'sendRefused', attempt: 1 },
  ])('knows that nothing is to be stopped any more: %j', (event) => {
    const upload = anUpload({ state: 'stopping', stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
    expect(done(upload, event)).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects', 'releaseDock'],
      changed: { dockMayExport: false },
    });
  });

  it('keeps why it is stopped when the dock says that it never started', () => {
    const upload = anUpload({ state: 'stopping', stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
    const next = step(upload, { type: 'startRefused', attempt: 1, dockResult: 324_019 });
    expect(next).toMatchObject({ cause: { code: 'canceled_by_operator' }, failures: 0 });
  });
});

describe('an export', () => {
  const phase = (
    name: 'pulling' | 'zipping' | 'uploading' | null,
    files = [] as ReturnType<typeof told>[],
  ): UploadEvent => ({
    ...{ type: 'exportTold', attempt: 1 },
    ...{ phase: name, files },
  });

  it('is watched from the last word of the dock', () => {
    expect(done(anUpload({ heardAtMs: NOON - MINUTE_MS }), phase('uploading'))).toEqual({
      state: 'uploading',
      effects: [],
      changed: { heardAtMs: NOON, nextActionAtMs: NOON + 90_000 },
    });
  });

  it.each(['pulling', 'zipping', 'uploading'] as const)(
    'begins with %s when the answer to the start is lost',
    (name) => {
      expect(step(starting(), phase(name)).state).toBe(name);
    },
  );

  it('never goes back to an earlier phase', () => {
    expect(step(anUpload(), phase('pulling')).state).toBe('uploading');
  });

  it('takes a word that nobody documents for a sign of life', () => {
    expect(step(starting(), phase(null))).toMatchObject({ state: 'pulling', heardAtMs: NOON });
  });

  it('keeps what is told of each archive', () => {
    const news = told({ progress: 'going', percent: 40 });
    expect(step(anUpload(), phase('uploading', [news])).files.map((file) => file.told)).toEqual([news, null]);
  });

  it('K5: keeps the end of an archive when an earlier word comes later', () => {
    const upload = step(anUpload(), phase('uploading', [told({ fingerprint: 'a'.repeat(32) })]));
    const later = step(
      upload,
      phase('uploading', [told({ progress: 'going', percent: 10, fingerprint: null, sizeBytes: 5 })]),
    );
    expect(later.files[0]?.told).toMatchObject({
      ...{ progress: 'ok', percent: 100, sizeBytes: 1_000, fingerprint: 'a'.repeat(32) },
    });
  });

  it('keeps a key and a hash that later words do not repeat', () => {
    const upload = step(
      anUpload(),
      phase('uploading', [told({ progress: 'going', key: 'k', fingerprint: 'b'.repeat(32) })]),
    );
    const later = step(upload, phase('uploading', [told({ key: null, fingerprint: null })]));
    expect(later.files[0]?.told).toMatchObject({ progress: 'ok', key: 'k', fingerprint: 'b'.repeat(32) });
  });

  it('takes no word about an archive that is stored', () => {
    const stored = aFile({ state: 'stored', told: told() });
    const upload = anUpload({ files: [stored, aFile({ module: 'aircraft' })] });
    expect(step(upload, phase('uploading', [told({ sizeBytes: 7 })])).files[0]).toEqual(stored);
  });

  it('is looked for in the storage once the dock says that it is over', () => {
    expect(done(anUpload(), ended())).toEqual({
      state: 'verifying',
      effects: ['checkObjects', 'releaseDock'],
      changed: {
        ...{ heardAtMs: NOON, dockMayExport: false, dockUntilMs: null },
        files: [
          aFile({ told: told() }),
          aFile({ module: 'aircraft', bootIndexes: [3], told: told({ module: 'aircraft' }) }),
        ],
        nextActionAtMs: NOON + 10_000,
      },
    });
  });

  it('K5: takes late progress of an older attempt for evidence', () => {
    expect(done(anUpload({ attempt: 2 }), phase('uploading'))).toEqual({
      refused: 'exportTold is about another attempt',
    });
  });

  it('K5: takes the late end of an attempt that is over for evidence, also while no other has begun', () => {
    expect(done(listed({ attempt: 1 }), ended())).toEqual({ refused: 'exportEnded is about another attempt' });
  });
});

describe('a list that never left', () => {
  it('is no answer that the dock owes: it is asked for again as soon as the dock can be had', () => {
    const listing = step(step(requested({ listCount: 2 }), { type: 'listDue' }), { type: 'listUnsent' });
    expect(listing).toMatchObject({ state: 'requested', listCount: 0, heldCount: 1, cause: { code: 'send_refused' } });
    expect(listing.nextActionAtMs).toBeGreaterThan(NOON);
  });
});

import {
  MINUTE_MS,
  NOON,
  aFile,
  anUpload,
  checked,
  done,
  ended,
  listed,
  step,
  steps,
  stopping,
  told,
  verifying,
} from './fixtures/uploads.js';
import { DEFAULT_TIMING } from './upload.timing.js';
import type { LogUpload, UploadEvent } from './upload.types.js';

const granted: UploadEvent = { type: 'dockGranted', untilMs: NOON + 600_000 };
const aboutAttempt = (type: 'startAccepted' | 'checkFailed', attempt = 1) => ({ type, attempt });
/** The dock says that it has stopped, to a stop that was sent then. */
const stopped = (sentAtMs = NOON): UploadEvent => ({ type: 'stopAccepted', attempt: 1, sentAtMs });
const filesOf = ({ files }: LogUpload): string[] => files.map(({ state }) => state);
const stopFacts = { state: 'stopping', effects: ['sendStop'] };

describe('looking into the storage', () => {
  it('is stored when every archive is there', () => {
    const before = verifying({ cause: { code: 'silent' } });
    expect(done(before, checked('ok', 'ok'))).toEqual({
      state: 'stored',
      effects: [],
      changed: {
        files: before.files.map((file) => ({ ...file, state: 'stored' })),
        ...{ cause: null, nextActionAtMs: null },
      },
    });
  });

  it('N64: is not stored when the dock said ok and an archive is missing', () => {
    expect(step(step(anUpload(), ended()), checked('ok', 'missing'))).toMatchObject({
      state: 'listed',
      ...{ failures: 1, cause: { code: 'objects_missing' }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('K3: is not stored when the dock said ok and an archive has another size', () => {
    expect(step(step(anUpload(), ended()), checked('ok', 'differs'))).toMatchObject({
      state: 'listed',
      failures: 1,
      cause: { code: 'objects_differ' },
    });
  });

  it('keeps what is complete for the next attempt', () => {
    expect(filesOf(step(verifying(), checked('ok', 'missing')))).toEqual(['stored', 'wanted']);
  });

  it('fails when an archive is missing after three attempts', () => {
    expect(done(verifying({ failures: 2 }), checked('missing', 'missing'))).toMatchObject({
      state: 'failed',
      changed: { failures: 3, cause: { code: 'objects_missing' }, nextActionAtMs: null },
    });
  });

  it('is partly stored when one archive is missing after three attempts', () => {
    expect(step(verifying({ failures: 2 }), checked('ok', 'differs'))).toMatchObject({
      state: 'partly_stored',
      cause: { code: 'objects_differ' },
    });
  });

  it('is partly stored, with the reason, when all came that the dock has', () => {
    const problem = { code: 'aircraft_off', dockResult: 324_015 } as const;
    const off = aFile({ module: 'aircraft', bootIndexes: [], expectedBytes: 0, state: 'unavailable', problem });
    expect(done(verifying({ files: [aFile(), off] }), checked('ok', 'missing'))).toMatchObject({
      state: 'partly_stored',
      effects: [],
      changed: { cause: problem, nextActionAtMs: null },
    });
  });

  it('takes no verdict about an archive that the dock does not have', () => {
    const off = aFile({ module: 'aircraft', state: 'unavailable', problem: { code: 'aircraft_off' } });
    expect(filesOf(step(verifying({ files: [aFile(), off] }), checked('ok', 'ok')))).toEqual(['stored', 'unavailable']);
  });

  it('ends when there are no numbers left for attempts', () => {
    expect(step(verifying({ attempt: 99 }), checked('missing', 'missing', 99)).state).toBe('failed');
  });

  it('looks again when the storage does not answer', () => {
    expect(done(verifying(), aboutAttempt('checkFailed'))).toEqual({
      state: 'verifying',
      effects: [],
      changed: { cause: { code: 'storage_silent' }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('looks again when the look itself was lost', () => {
    expect(done(verifying(), { type: 'checkDue' })).toEqual({
      state: 'verifying',
      effects: ['checkObjects'],
      changed: { nextActionAtMs: NOON + 10_000 },
    });
  });

  it('keeps who called it off while the storage does not answer', () => {
    const before = verifying({ stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
    expect(step(before, aboutAttempt('checkFailed')).cause).toEqual({ code: 'canceled_by_operator' });
  });

  it('looks again when the dock names a hash only now', () => {
    expect(done(verifying(), ended())).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects'],
      changed: { nextActionAtMs: NOON + 10_000 },
    });
  });

  it('forgets a look that comes when the dock exports again', () => {
    expect(done(anUpload(), checked('ok', 'ok'))).toEqual({ state: 'uploading', effects: [], changed: {} });
  });
});

describe('a dock that falls silent', () => {
  it('K2: is not asked: the storage is', () => {
    expect(done(anUpload(), { type: 'exportSilent' })).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects'],
      changed: { cause: { code: 'silent' }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('K2: keeps its reservation, because it may still export', () => {
    expect(step(anUpload(), { type: 'exportSilent' })).toMatchObject({
      dockMayExport: true,
      dockUntilMs: NOON + 600_000,
    });
  });

  it('K2: has stored everything when only its last word was lost', () => {
    expect(done(step(anUpload(), { type: 'exportSilent' }), checked('ok', 'ok'))).toMatchObject({
      state: 'stored',
      effects: ['releaseDock'],
      changed: { dockMayExport: false, dockUntilMs: null, cause: null },
    });
  });

  it('goes on when it speaks again', () => {
    const told: UploadEvent = { type: 'exportTold', attempt: 1, phase: 'uploading', files: [] };
    expect(done(step(anUpload(), { type: 'exportSilent' }), told)).toMatchObject({
      state: 'uploading',
      effects: [],
      changed: { cause: null, heardAtMs: NOON, nextActionAtMs: NOON + 90_000 },
    });
  });

  it('does not go on by a late word when it was known to have ended', () => {
    const told: UploadEvent = { type: 'exportTold', attempt: 1, phase: 'uploading', files: [] };
    expect(step(verifying(), told).state).toBe('verifying');
  });

  it('K6: is told to stop when files are missing, because it may still export', () => {
    expect(done(step(anUpload(), { type: 'exportSilent' }), checked('missing', 'missing'))).toEqual({
      ...stopFacts,
      changed: { stopFor: 'retry', stopCount: 1 },
    });
  });

  it('K6: is asked anew after a reboot, with another attempt', () => {
    const lost = checked('missing', 'missing');
    const again = steps(anUpload(), { type: 'exportSilent' }, lost, stopped(), lost);
    expect(again).toMatchObject({ state: 'listed', failures: 1, cause: { code: 'silent' }, dockMayExport: false });
    expect(done(again, granted)).toMatchObject({ state: 'starting', effects: ['sendStart'], changed: { attempt: 2 } });
  });

  it('is asked for the missing archive only', () => {
    const again = steps(anUpload(), { type: 'exportSilent' }, checked('ok', 'missing'));
    expect(filesOf(again)).toEqual(['stored', 'wanted']);
  });
});

describe('an attempt that takes too long', () => {
  it('is stopped', () => {
    expect(done(anUpload(), { type: 'attemptOverdue' })).toMatchObject({
      ...stopFacts,
      changed: { stopFor: 'retry', stopCount: 1, cause: { code: 'too_slow' }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('is named too slow, though the dock says of its files only that they ended', () => {
    const canceled = { progress: 'failed', dockResult: null } as const;
    const again = steps(
      ...([anUpload(), { type: 'attemptOverdue' } as const, ended(canceled, canceled)] as const),
      checked('missing', 'missing'),
    );
    expect(again).toMatchObject({ state: 'listed', failures: 1, cause: { code: 'too_slow' } });
  });

  it('does not take the place of a person who wanted it to stop', () => {
    const before = anUpload({ state: 'verifying', stopFor: 'operator' });
    expect(step(before, { type: 'attemptOverdue' }).stopFor).toBe('operator');
  });
});

describe('K1: keys that end', () => {
  const withOldKeys = (overrides: Partial<LogUpload> = {}) => verifying({ keysEndAtMs: NOON + 60_000, ...overrides });

  it('are why files are missing when they ended within a minute', () => {
    expect(done(withOldKeys(), checked('missing', 'missing'))).toMatchObject({
      state: 'listed',
      changed: { failures: 1, cause: { code: 'keys_expired' } },
    });
  });

  it('outweigh what the dock says of it', () => {
    const files = anUpload().files.map((file) => ({
      ...file,
      told: told({ progress: 'failed', dockResult: 324_019 }),
    }));
    expect(step(withOldKeys({ files }), checked('missing', 'missing')).cause).toEqual({ code: 'keys_expired' });
  });

  it('are not blamed while they live for more than a minute', () => {
    const before = withOldKeys({ keysEndAtMs: NOON + 60_001 });
    expect(step(before, checked('missing', 'missing')).cause).toEqual({ code: 'objects_missing' });
  });

  it('are replaced with the next attempt', () => {
    const next = steps(withOldKeys(), checked('missing', 'missing'), granted);
    expect(next).toMatchObject({ state: 'starting', attempt: 2, keysEndAtMs: null });
  });

  it('make it fail after three attempts', () => {
    const next = step(withOldKeys({ attempt: 3, failures: 2 }), checked('missing', 'missing', 3));
    expect(next).toMatchObject({ state: 'failed', failures: 3, cause: { code: 'keys_expired' } });
  });
});

describe('K11: a storage that is full', () => {
  const refused = { progress: 'failed', dockResult: 324_020 } as const;
  const attempts = (upload: LogUpload, count: number): LogUpload => {
    let next = upload;
    for (let attempt = 1; attempt <= count; attempt++) {
      next = steps(next, granted, ended(refused, refused, attempt), checked('missing', 'missing', attempt));
    }
    return next;
  };

  it('is tried again, with what the dock said of it', () => {
    expect(attempts(listed(), 1)).toMatchObject({
      state: 'listed',
      failures: 1,
      cause: { code: 'reported_by_dock', dockResult: 324_020 },
    });
  });

  it('makes it fail after three attempts, with what the dock said of it', () => {
    expect(attempts(listed(), 3)).toMatchObject({
      ...{ state: 'failed', attempt: 3, failures: 3, dockMayExport: false, nextActionAtMs: null },
      cause: { code: 'reported_by_dock', dockResult: 324_020 },
    });
  });

  it('is named also when the dock gives no number', () => {
    const nameless = { progress: 'failed', dockResult: null } as const;
    const next = steps(anUpload(), ended(nameless, nameless), checked('missing', 'missing'));
    expect(next.cause).toEqual({ code: 'reported_by_dock' });
  });
});

describe('calling it off', () => {
  const cancel: UploadEvent = { type: 'cancelRequested' };

  it.each(['requested', 'listing', 'listed'] as const)('ends at once while it is %s', (state) => {
    expect(done(listed({ state, yieldAtMs: NOON }), cancel)).toEqual({
      state: 'canceled',
      effects: [],
      changed: {
        ...{ stopFor: 'operator', cause: { code: 'canceled_by_operator' }, yieldAtMs: null },
        ...{ heardAtMs: NOON, nextActionAtMs: null },
      },
    });
  });

  it.each(['starting', 'pulling', 'zipping', 'uploading'] as const)('stops a dock that is %s', (state) => {
    expect(done(anUpload({ state }), cancel)).toEqual({
      ...stopFacts,
      changed: {
        ...{ stopFor: 'operator', stopCount: 1 },
        ...{ cause: { code: 'canceled_by_operator' }, nextActionAtMs: NOON + 10_000 },
      },
    });
  });

  it('is canceled once the dock has stopped and files are missing', () => {
    const next = steps(anUpload(), cancel, stopped(), checked('ok', 'missing'));
    expect(next).toMatchObject({ state: 'canceled', failures: 0, cause: { code: 'canceled_by_operator' } });
  });

  it('K10: keeps the archives that are complete', () => {
    const next = steps(anUpload(), cancel, stopped(), checked('ok', 'missing'));
    expect(filesOf(next)).toEqual(['stored', 'wanted']);
  });

  it('K10: is stored when everything was complete before the dock heard of it', () => {
    expect(steps(anUpload(), cancel, ended(), checked('ok', 'ok'))).toMatchObject({ state: 'stored', cause: null });
  });

  it('K10: comes too late for an upload that has ended', () => {
    expect(done(anUpload({ state: 'stored' }), cancel)).toEqual({
      refused: 'cancelRequested is not possible while stored',
    });
  });

  it('K10: changes nothing of a canceled upload when the dock says that it is done', () => {
    const canceled = anUpload({ state: 'canceled', dockMayExport: false });
    expect(done(canceled, ended())).toEqual({ state: 'canceled', effects: [], changed: {} });
  });

  it('means the same when it is asked for twice', () => {
    const once = step(anUpload(), cancel);
    expect(done(once, cancel)).toEqual({ state: 'stopping', effects: [], changed: {} });
  });

  it('outweighs that the dock was told to stop for another attempt', () => {
    expect(step(stopping(), cancel)).toMatchObject({ stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
  });

  it('waits for a look that is under way', () => {
    expect(done(verifying(), cancel)).toEqual({
      state: 'verifying',
      effects: [],
      changed: { stopFor: 'operator', cause: { code: 'canceled_by_operator' } },
    });
  });

  it('stops a silent dock that is just looked after, so that it does not go on when it speaks again', () => {
    const before = step(anUpload(), { type: 'exportSilent' });
    expect(done(before, cancel)).toMatchObject(stopFacts);
    const speaks = step(step(before, cancel), { type: 'exportTold', attempt: 1, phase: 'uploading', files: [] });
    expect(speaks.state).toBe('stopping');
  });

  it('stays the cause when time or a mission ask for the same', () => {
    const called = step(stopping(), cancel);
    const late = step({ ...called, state: 'verifying', dockMayExport: true }, { type: 'attemptOverdue' });
    expect(late).toMatchObject({ stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
    const yielded = step({ ...called, state: 'verifying', dockMayExport: true }, { type: 'yieldDue' });
    expect(yielded).toMatchObject({ stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
  });

  it('stays the cause of an upload whose dock had fallen silent', () => {
    const lost = checked('missing', 'missing');
    const next = steps(anUpload(), { type: 'exportSilent' }, cancel, lost, stopped(), lost);
    expect(next).toMatchObject({ state: 'canceled', cause: { code: 'canceled_by_operator' } });
  });
});

describe('a mission that needs the dock', () => {
  it('sets the time at which the dock is stopped', () => {
    expect(done(anUpload(), { type: 'dockNeeded', atMs: NOON + 5_000 })).toEqual({
      state: 'uploading',
      effects: [],
      changed: { yieldAtMs: NOON + 5_000, nextActionAtMs: NOON + 5_000 },
    });
  });

  it('is served at once when it needs it now', () => {
    expect(step(anUpload(), { type: 'dockNeeded', atMs: NOON - 5_000 }).nextActionAtMs).toBe(NOON);
  });

  it('is served in time for the earliest of several', () => {
    const next = steps(
      anUpload(),
      { type: 'dockNeeded', atMs: NOON + 5_000 },
      { type: 'dockNeeded', atMs: NOON + 9_000 },
    );
    expect(next.yieldAtMs).toBe(NOON + 5_000);
  });

  it('is not waited for longer than the dock is reserved', () => {
    const before = anUpload({ heardAtMs: NOON, dockUntilMs: NOON + 60_000 });
    expect(step(before, { type: 'dockNeeded', atMs: NOON + 3_600_000 }).nextActionAtMs).toBe(NOON + 60_000);
  });

  it('is remembered when it is told before the dock was ours', () => {
    expect(step(listed(), { type: 'dockNeeded', atMs: NOON }).yieldAtMs).toBe(NOON);
  });

  it('does not matter once the dock exports no more', () => {
    expect(done(verifying(), { type: 'dockNeeded', atMs: NOON })).toEqual({
      state: 'verifying',
      effects: [],
      changed: {},
    });
  });

  it('stops the dock when its time has come', () => {
    expect(done(anUpload({ yieldAtMs: NOON }), { type: 'yieldDue' })).toMatchObject({
      ...stopFacts,
      changed: { stopFor: 'mission', stopCount: 1, cause: { code: 'yielded_to_mission' } },
    });
  });

  it('stops a dock that is silent and looked after', () => {
    const before = step(anUpload({ yieldAtMs: NOON }), { type: 'exportSilent' });
    expect(done(before, { type: 'yieldDue' })).toMatchObject({ ...stopFacts, changed: { stopFor: 'mission' } });
  });

  it('gets the dock as soon as that has stopped', () => {
    expect(done(stopping({ stopFor: 'mission' }), stopped())).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects', 'releaseDock'],
      changed: { dockMayExport: false, dockUntilMs: null },
    });
  });

  it('leaves the upload listed, without a failure, to go on after it', () => {
    const next = steps(
      anUpload({ failures: 2, yieldAtMs: NOON }),
      { type: 'yieldDue' },
      stopped(),
      checked('ok', 'missing'),
    );
    expect(next).toMatchObject({
      ...{ state: 'listed', failures: 2, stopFor: null, yieldAtMs: null },
      ...{ cause: { code: 'yielded_to_mission' }, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('does not undo that a person called it off', () => {
    const before = anUpload({ state: 'verifying', stopFor: 'operator' });
    expect(step(before, { type: 'yieldDue' }).stopFor).toBe('operator');
  });
});

describe('a dock that is told to stop', () => {
  it('is told again when it does not answer', () => {
    expect(done(stopping(), { type: 'stopOverdue' })).toEqual({
      state: 'stopping',
      effects: ['sendStop'],
      changed: { stopCount: 2, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('is taken for one that exports no more when it never answers', () => {
    expect(done(stopping({ stopCount: 6 }), { type: 'stopGivenUp' })).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects', 'releaseDock'],
      changed: { dockMayExport: false, dockUntilMs: null, nextActionAtMs: NOON + 10_000 },
    });
  });

  it('is told again when it refuses', () => {
    expect(done(stopping(), { type: 'stopRefused', attempt: 1, dockResult: 324_019 })).toEqual({
      state: 'stopping',
      effects: [],
      changed: { heardAtMs: NOON },
    });
  });

  it('has stopped when it says so', () => {
    expect(done(stopping(), stopped())).toMatchObject({
      state: 'verifying',
      effects: ['checkObjects', 'releaseDock'],
    });
  });

  it('is told again when its start may still be on the way, and would begin after this stop', () => {
    expect(done(stopping({ stopsCountFromMs: NOON }), stopped())).toEqual({
      state: 'stopping',
      effects: [],
      changed: { heardAtMs: NOON },
    });
  });

  it('is believed when the stop was sent once its start could be on the way no more', () => {
    expect(step(stopping({ stopsCountFromMs: NOON - 1 }), stopped()).state).toBe('verifying');
  });

  it('is told again when the stop and the first word of the export fall into one millisecond', () => {
    const begun = step(stopping({ stopsCountFromMs: NOON + 17_000 }), aboutAttempt('startAccepted'));
    expect(step(begun, stopped(NOON)).state).toBe('stopping');
  });

  it('is believed by when its stop was sent, and not by when its answer is handled', () => {
    const upload = stopping({ stopsCountFromMs: NOON + 15_000 });
    const begun = step(upload, aboutAttempt('startAccepted'), NOON + 2_000);
    expect(step(begun, stopped(NOON), NOON + 60_000).state).toBe('stopping');
    expect(step(begun, stopped(NOON + 10_000), NOON + 60_000).state).toBe('verifying');
  });

  it('may be busy with this very export: its answer to the stop decides', () => {
    const busy: UploadEvent = { type: 'startDeferred', attempt: 1, dockResult: 319_018 };
    expect(done(stopping(), busy)).toEqual({ state: 'stopping', effects: [], changed: { heardAtMs: NOON } });
  });

  it('begins with nothing when it refuses the start', () => {
    const refused: UploadEvent = { type: 'startRefused', attempt: 1, dockResult: 324_019 };
    expect(done(stopping(), refused)).toMatchObject({ state: 'verifying', effects: ['checkObjects', 'releaseDock'] });
  });

  it('has stopped when it says how the export ended', () => {
    expect(done(stopping(), ended())).toMatchObject({ state: 'verifying', effects: ['checkObjects', 'releaseDock'] });
  });

  it('has not stopped when it tells of progress', () => {
    const progress: UploadEvent = { type: 'exportTold', attempt: 1, phase: 'uploading', files: [] };
    expect(done(stopping(), progress)).toEqual({ state: 'stopping', effects: [], changed: { heardAtMs: NOON } });
  });
});

describe('the deadline', () => {
  const AT = anUpload().deadlineMs;
  const passed: UploadEvent = { type: 'deadlinePassed' };

  it.each(['requested', 'listing', 'listed'] as const)('ends an upload that is %s', (state) => {
    expect(done(listed({ state }), passed, AT)).toMatchObject({
      state: 'timed_out',
      effects: [],
      changed: { cause: { code: 'deadline_passed' }, nextActionAtMs: null },
    });
  });

  it('stops a dock that exports', () => {
    expect(done(anUpload(), passed, AT)).toMatchObject({
      ...stopFacts,
      changed: { stopFor: 'deadline', stopCount: 1, cause: { code: 'deadline_passed' } },
    });
  });

  it('gives the dock its time to stop', () => {
    expect(done(anUpload(), passed, AT)).toMatchObject({ changed: { nextActionAtMs: AT + DEFAULT_TIMING.repeatMs } });
  });

  it('gives the look into the storage its time, because files may be complete', () => {
    const next = step(stopping({ stopFor: 'deadline' }), stopped(), AT + 3_000);
    expect(next.nextActionAtMs).toBe(AT + 3_000 + DEFAULT_TIMING.repeatMs);
  });

  it('gives the storage an hour to answer, and no more for what the dock says meanwhile', () => {
    const lastMs = AT + 3_000 + 60 * MINUTE_MS;
    const before = verifying({ sinceMs: AT + 3_000, nextActionAtMs: lastMs - 2_000 });
    expect(step(before, ended(), lastMs - 5_000).nextActionAtMs).toBe(lastMs);
  });

  it('keeps what is complete when the dock has stopped', () => {
    const next = step(verifying({ stopFor: 'deadline', cause: { code: 'deadline_passed' } }), checked('ok', 'missing'));
    expect(next).toMatchObject({ state: 'timed_out', failures: 0, cause: { code: 'deadline_passed' } });
    expect(filesOf(next)).toEqual(['stored', 'wanted']);
  });

  it('is forgotten when everything is complete', () => {
    expect(step(verifying({ stopFor: 'deadline' }), checked('ok', 'ok'))).toMatchObject({
      state: 'stored',
      cause: null,
    });
  });

  it('ends an upload whose storage does not answer', () => {
    expect(done(verifying(), passed, AT)).toMatchObject({ state: 'timed_out', effects: [] });
  });

  it('stops a dock that is silent and looked after', () => {
    expect(done(anUpload({ state: 'verifying' }), passed, AT)).toMatchObject(stopFacts);
  });

  it('does not take the place of a person who called it off', () => {
    const before = anUpload({ state: 'verifying', stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
    expect(step(before, passed, AT)).toMatchObject({ stopFor: 'operator', cause: { code: 'canceled_by_operator' } });
  });
});

import { MINUTE_MS, NOON, anUpload, listed, requested, step, stopping, verifying } from './fixtures/uploads.js';
import { type Due, dueNow } from './upload.due.js';
import { decide } from './upload.machine.js';
import { DEFAULT_TIMING } from './upload.timing.js';
import { ACTIVE_STATES, type Effect, type LogUpload, OUTCOMES, type UploadEvent, isOutcome } from './upload.types.js';

/** What is due of an upload that is looked at at `nowMs`. */
const dueOf = (upload: LogUpload, nowMs = NOON): Due['type'] | null =>
  dueNow({ ...upload, nextActionAtMs: nowMs }, nowMs, DEFAULT_TIMING)?.type ?? null;

interface Passed {
  readonly upload: LogUpload;
  readonly effects: readonly Effect[];
  readonly endedMs: number;
}

/** Lets time alone drive an upload until it is over; a dock is always to be had, and the storage shows `found`. */
function letTimePass(begin: LogUpload, found: 'ok' | 'missing' | 'silent' = 'missing'): Passed {
  let upload = begin;
  let nowMs = NOON;
  const effects: Effect[] = [];
  const take = (event: UploadEvent): void => {
    const decision = decide(upload, event, nowMs, DEFAULT_TIMING);
    if (decision.kind === 'refused') throw new Error(decision.reason);
    upload = decision.upload;
    effects.push(...decision.effects);
    if (decision.effects.includes('sendStart')) upload = { ...upload, keysEndAtMs: nowMs + 12 * 60 * MINUTE_MS };
    if (!decision.effects.includes('checkObjects')) return;
    const { attempt, files } = upload;
    // The look takes a moment, as in life.
    nowMs += 100;
    if (found === 'silent') take({ type: 'checkFailed', attempt });
    else take({ type: 'objectsChecked', attempt, files: files.map(({ module }) => ({ module, verdict: found })) });
  };
  for (let steps = 0; steps < 20_000; steps++) {
    if (isOutcome(upload.state)) return { upload, effects, endedMs: nowMs };
    nowMs = Math.max(nowMs, upload.nextActionAtMs ?? NaN);
    const due = dueNow(upload, nowMs, DEFAULT_TIMING);
    if (due === null) throw new Error(`nothing is due of an upload that is ${upload.state} at its own next action`);
    const isAsked = due.type === 'dockWanted' || due.type === 'extensionWanted';
    take(isAsked ? { type: 'dockGranted', untilMs: nowMs + 10 * MINUTE_MS } : due);
  }
  throw new Error(`forgotten: still ${upload.state} after 20,000 steps`);
}

const count = (effects: readonly Effect[], effect: Effect): number =>
  effects.filter((other) => other === effect).length;

describe('what is due', () => {
  it('is nothing before the next action', () => {
    expect(dueNow(anUpload({ nextActionAtMs: NOON + 1 }), NOON, DEFAULT_TIMING)).toBeNull();
  });

  it.each(OUTCOMES)('is nothing of an upload that is %s', (state) => {
    expect(dueNow(anUpload({ state }), NOON + 1e12, DEFAULT_TIMING)).toBeNull();
  });

  it('is the list of an upload that is new', () => {
    expect(dueOf(requested())).toBe('listDue');
  });

  it('is another list when the first is not answered', () => {
    expect(dueOf(requested({ state: 'listing', listCount: 2 }))).toBe('listOverdue');
  });

  it('is the end of it when three lists are not answered', () => {
    expect(dueOf(requested({ state: 'listing', listCount: 3 }))).toBe('listGivenUp');
  });

  it('is the dock, of which is known what it has', () => {
    expect(dueOf(listed())).toBe('dockWanted');
  });

  it('is another stop when the dock does not answer', () => {
    expect(dueOf(stopping({ stopCount: 5 }))).toBe('stopOverdue');
  });

  it('is the end of the stops after six', () => {
    expect(dueOf(stopping({ stopCount: 6 }))).toBe('stopGivenUp');
  });

  it('is a look into the storage while it verifies', () => {
    expect(dueOf(verifying())).toBe('checkDue');
  });

  it.each(ACTIVE_STATES.filter((state) => state !== 'stopping'))('is the deadline while it is %s', (state) => {
    const upload = anUpload({ state });
    expect(dueOf(upload, upload.deadlineMs)).toBe('deadlinePassed');
  });

  it('is a look into the storage for an hour after the deadline, when the dock exports no more', () => {
    const upload = verifying();
    expect(dueOf(upload, upload.deadlineMs + 60 * MINUTE_MS - 1)).toBe('checkDue');
    expect(dueOf(upload, upload.deadlineMs + 60 * MINUTE_MS)).toBe('deadlinePassed');
  });

  it('is not the deadline while a dock is told to stop, because it may export', () => {
    const upload = stopping();
    expect(dueOf(upload, upload.deadlineMs + MINUTE_MS)).toBe('stopOverdue');
  });
});

describe.each(['starting', 'pulling', 'zipping', 'uploading'] as const)('of a dock that is %s', (state) => {
  it('nothing is due while it speaks', () => {
    expect(dueOf(anUpload({ state, heardAtMs: NOON - 89_999 }))).toBeNull();
  });

  it('a look into the storage is due when it is silent', () => {
    expect(dueOf(anUpload({ state, heardAtMs: NOON - 90_000 }))).toBe('exportSilent');
  });

  it('a look is due when it never spoke since the start', () => {
    expect(dueOf(anUpload({ state, heardAtMs: null, sinceMs: NOON - 90_000, keysEndAtMs: NOON + MINUTE_MS }))).toBe(
      'exportSilent',
    );
  });

  it('a longer reservation is due before the present one ends', () => {
    expect(dueOf(anUpload({ state, dockUntilMs: NOON + 45_000 }))).toBe('extensionWanted');
  });

  it('no longer reservation is due once a mission needs it', () => {
    expect(dueOf(anUpload({ state, dockUntilMs: NOON + 45_000, yieldAtMs: NOON + 1 }))).toBeNull();
  });

  it('its stop is due when a mission needs it', () => {
    expect(dueOf(anUpload({ state, yieldAtMs: NOON }))).toBe('yieldDue');
  });

  it('its stop is due when its reservation ends', () => {
    expect(dueOf(anUpload({ state, dockUntilMs: NOON }))).toBe('yieldDue');
  });

  it('its stop is due when its reservation ends, though the mission comes later', () => {
    expect(dueOf(anUpload({ state, dockUntilMs: NOON, yieldAtMs: NOON + MINUTE_MS }))).toBe('yieldDue');
  });

  it('its stop is due when the attempt takes too long', () => {
    expect(dueOf(anUpload({ state, attemptEndsByMs: NOON }))).toBe('attemptOverdue');
  });

  it('a mission comes before an attempt that takes too long', () => {
    expect(dueOf(anUpload({ state, attemptEndsByMs: NOON, yieldAtMs: NOON }))).toBe('yieldDue');
  });
});

describe('of a start for which no keys were issued', () => {
  const begun = anUpload({ state: 'starting', heardAtMs: null, sinceMs: NOON - 90_000, keysEndAtMs: null });

  it('it is due that it never left, because whoever was to send it is gone', () => {
    expect(dueOf(begun)).toBe('sendRefused');
  });

  it('a look into the storage is due while it might leave', () => {
    const impatient = { ...DEFAULT_TIMING, silenceMs: 10_000 };
    const justBegun = { ...begun, sinceMs: NOON - 14_999, nextActionAtMs: NOON };
    expect(dueNow(justBegun, NOON, impatient)?.type).toBe('exportSilent');
  });

  it('a look is due where keys were issued', () => {
    expect(dueOf({ ...begun, keysEndAtMs: NOON + 1 })).toBe('exportSilent');
  });
});

describe('of a dock that is silent and looked after', () => {
  it('the stop is due when a mission needs it', () => {
    expect(dueOf(anUpload({ state: 'verifying', yieldAtMs: NOON }))).toBe('yieldDue');
  });

  it('the mission is served in time', () => {
    const silent = anUpload({ state: 'verifying', yieldAtMs: null, nextActionAtMs: NOON + 10_000 });
    expect(step(silent, { type: 'dockNeeded', atMs: NOON + 3_000 }).nextActionAtMs).toBe(NOON + 3_000);
  });

  it('nothing is due for a mission once it is known to export no more', () => {
    expect(dueOf(verifying({ yieldAtMs: NOON, dockUntilMs: NOON }))).toBe('checkDue');
  });
});

describe('time alone', () => {
  it('asks a dock that never lists three times, and then fails', () => {
    const { upload, effects, endedMs } = letTimePass(requested());
    expect(effects).toEqual(['sendList', 'sendList', 'sendList']);
    expect(upload).toMatchObject({ state: 'failed', cause: { code: 'list_no_reply' } });
    expect(endedMs).toBe(NOON + 3 * MINUTE_MS);
  });

  it('asks a dock that never exports a word in three attempts, and then fails', () => {
    const { upload, effects } = letTimePass(listed());
    expect(upload).toMatchObject({ state: 'failed', attempt: 3, failures: 3, cause: { code: 'silent' } });
    expect(count(effects, 'sendStart')).toBe(3);
  });

  it('tells it to stop six times in each attempt', () => {
    expect(count(letTimePass(listed()).effects, 'sendStop')).toBe(18);
  });

  it('gives it back after each attempt', () => {
    expect(count(letTimePass(listed()).effects, 'releaseDock')).toBe(3);
  });

  it('K2: finds out that everything is stored when the dock never said so', () => {
    const { upload, effects } = letTimePass(listed(), 'ok');
    expect(upload.state).toBe('stored');
    expect(effects).toEqual(['sendStart', 'checkObjects', 'releaseDock']);
  });

  it('gives up a storage that never answers an hour after the deadline', () => {
    const { upload, endedMs } = letTimePass(verifying(), 'silent');
    expect(upload).toMatchObject({ state: 'timed_out', cause: { code: 'deadline_passed' } });
    expect(endedMs - upload.deadlineMs).toBe(60 * MINUTE_MS);
  });

  it('tells a dock that exports at the deadline to stop for a minute, before it is given back', () => {
    const atDeadline = step(anUpload(), { type: 'deadlinePassed' }, anUpload().deadlineMs);
    const { upload, effects, endedMs } = letTimePass(atDeadline);
    expect(effects.slice(0, 7)).toEqual([
      ...Array.from({ length: 5 }, () => 'sendStop'),
      'checkObjects',
      'releaseDock',
    ]);
    expect(upload.state).toBe('timed_out');
    expect(endedMs - upload.deadlineMs).toBe(60_100);
  });

  it('finds what is complete at the deadline', () => {
    const atDeadline = step(anUpload(), { type: 'deadlinePassed' }, anUpload().deadlineMs);
    expect(letTimePass(atDeadline, 'ok').upload.state).toBe('stored');
  });
});

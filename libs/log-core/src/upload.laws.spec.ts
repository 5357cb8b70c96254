import { RUNS, RUNS_TIMEOUT_MS } from '@aerie/property-testing';
import fc from 'fast-check';
import { DockOnAWeakLink, type Turn } from './fixtures/dock-on-a-weak-link.js';
import {
  NOON,
  after,
  anUpload,
  anyEvent,
  anyHistory,
  anyInstant,
  anyUpload,
  listed,
  requested,
  step,
  told,
} from './fixtures/uploads.js';
import { dueNow } from './upload.due.js';
import { EVENT_TYPES, type Row, decide, transitions } from './upload.machine.js';
import { DEFAULT_TIMING, LAST_LOOKS_MS, STOP_LIMIT } from './upload.timing.js';
import { type EventType, type LogUpload, STATES, type UploadEvent, isOutcome } from './upload.types.js';

const law = (name: string, property: fc.IRawProperty<unknown>): void =>
  it(name, () => void fc.assert(property, RUNS), RUNS_TIMEOUT_MS);

/** Mostly what happens in life: a start that arrives, words, time, and somebody who wants the dock. */
const anyTurn: fc.Arbitrary<Turn> = fc.tuple(
  fc.oneof(
    ...(['time passes', 'word arrives', 'stop arrives'] as const).map((what) => ({
      arbitrary: fc.constant<Turn[0]>(what),
      weight: 4,
    })),
    ...(['start arrives', 'cancel', 'mission', 'look', 'dock tells'] as const).map((what) => ({
      arbitrary: fc.constant<Turn[0]>(what),
      weight: 2,
    })),
    ...(['word is lost', 'dock ends'] as const).map((what) => ({
      arbitrary: fc.constant<Turn[0]>(what),
      weight: 1,
    })),
  ),
  fc.nat(1_000),
);

describe('the laws of the lifecycle', () => {
  it.each(EVENT_TYPES)('has at most one row for %s in each state', (type) => {
    const from = (transitions[type] as readonly Row<EventType>[]).flatMap((row) => row.from);
    expect(from).toHaveLength(new Set(from).size);
  });

  it('reaches every state', () => {
    const reached = new Set<string>(['requested']);
    for (const rows of Object.values(transitions) as (readonly Row<EventType>[])[]) {
      for (const { to } of rows) for (const state of typeof to === 'string' ? [to] : to.oneOf) reached.add(state);
    }
    for (const state of STATES) expect(reached).toContain(state);
  });

  law(
    'decides on any upload, any event and any time without throwing, and changes nothing that it was given',
    fc.property(anyUpload, anyEvent, anyInstant, (upload, event, nowMs) => {
      const before = structuredClone(upload);
      decide(upload, event, nowMs, DEFAULT_TIMING);
      expect(upload).toEqual(before);
    }),
  );

  law(
    'finds only what the table knows to be due',
    fc.property(anyUpload, anyInstant, (upload, nowMs) => {
      const due = dueNow(upload, nowMs, DEFAULT_TIMING);
      if (due === null || due.type === 'dockWanted' || due.type === 'extensionWanted') return;
      expect(decide(upload, due, nowMs, DEFAULT_TIMING).kind).not.toBe('refused');
    }),
  );

  law(
    'K10: keeps an ended upload exactly as it is, whatever comes, and orders nothing of its dock',
    fc.property(anyUpload, anyEvent, anyInstant, (upload, event, nowMs) => {
      fc.pre(isOutcome(upload.state));
      const decision = decide(upload, event, nowMs, DEFAULT_TIMING);
      expect(after(upload, decision)).toBe(upload);
      if (decision.kind !== 'refused')
        expect(decision.effects.filter((effect) => effect !== 'checkObjects')).toEqual([]);
    }),
  );

  law(
    'gives every upload that is not over a next action, at its deadline or one wait later at the latest',
    fc.property(anyHistory, (history) => {
      let upload = requested();
      let latestMs = upload.deadlineMs;
      for (const { event, nowMs } of history) {
        upload = step(upload, event, nowMs);
        latestMs = Math.max(latestMs, nowMs);
        expect(upload.nextActionAtMs === null).toBe(isOutcome(upload.state));
        expect(upload.nextActionAtMs ?? 0).toBeLessThanOrEqual(latestMs + DEFAULT_TIMING.repeatMs);
      }
    }),
  );

  law(
    'looks again no later than a mission needs the dock, its reservation ends or its time is over',
    fc.property(anyUpload, anyInstant, anyInstant, fc.boolean(), (upload, atMs, untilMs, isNeeded) => {
      fc.pre(upload.dockMayExport && upload.state !== 'stopping');
      const needed: UploadEvent = { type: 'dockNeeded', atMs };
      const next = step(upload, isNeeded ? needed : { type: 'dockGranted', untilMs });
      const ends = [next.yieldAtMs, next.dockUntilMs, next.attemptEndsByMs, next.deadlineMs];
      const earliest = Math.min(...ends.map((instant) => instant ?? Infinity));
      expect(next.nextActionAtMs).toBeLessThanOrEqual(Math.max(NOON, earliest));
    }),
  );

  law(
    'gives the dock back exactly when it exports no more, and asks it to start once for each attempt',
    fc.property(anyHistory, (history) => {
      let upload = requested();
      for (const { event, nowMs } of history) {
        const decision = decide(upload, event, nowMs, DEFAULT_TIMING);
        if (decision.kind === 'refused') continue;
        const { upload: next, effects } = decision;
        expect(effects.includes('releaseDock')).toBe(upload.dockMayExport && !next.dockMayExport);
        expect(effects.includes('sendStart')).toBe(next.attempt > upload.attempt);
        if (effects.includes('sendStart')) expect(upload.dockMayExport).toBe(false);
        upload = next;
      }
    }),
  );

  law(
    'never gives back a dock that exports or may begin to, whatever is late, mixed up or lost on the way, if it answers a stop',
    fc.property(fc.array(anyTurn, { maxLength: 60 }), (turns) => {
      const link = new DockOnAWeakLink(listed());
      for (const turn of turns) {
        link.take(turn);
        if (link.isGivenUp) return;
        expect(link.isLentTwice).toBe(false);
      }
    }),
  );

  law(
    'N64: is stored only after the storage showed every file, whatever the dock says',
    fc.property(anyUpload, anyEvent, anyInstant, (upload, event, nowMs) => {
      const decision = decide(upload, event, nowMs, DEFAULT_TIMING);
      if (decision.kind === 'refused' || isOutcome(upload.state) || decision.upload.state !== 'stored') return;
      expect(event.type).toBe('objectsChecked');
      expect(decision.upload.files.every(({ state }) => state === 'stored')).toBe(true);
    }),
  );

  law(
    'K5: takes a word about another attempt for evidence only',
    fc.property(anyUpload, anyEvent, anyInstant, (upload, event, nowMs) => {
      fc.pre('attempt' in event && event.attempt !== upload.attempt);
      expect(decide(upload, event, nowMs, DEFAULT_TIMING).kind).toBe('refused');
    }),
  );

  law(
    'does the same once as twice when a dock says anything twice',
    fc.property(anyUpload, anyEvent, anyInstant, (upload, event, nowMs) => {
      const once = decide(upload, event, nowMs, DEFAULT_TIMING);
      if (once.kind === 'refused' || !SAID_BY_DOCK.includes(event.type)) return;
      const twice = decide(once.upload, event, nowMs, DEFAULT_TIMING);
      expect(after(once.upload, twice).state).toBe(once.upload.state);
    }),
  );

  law(
    'K5: does not care in which order and how often a dock tells of an export',
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 }), (order) => {
      let upload = step(listed(), { type: 'dockGranted', untilMs: NOON + 3_600_000 });
      for (const index of order) upload = step(upload, EXPORT[index % EXPORT.length] as UploadEvent);
      expect(upload.state).toBe('verifying');
      expect(upload.dockMayExport).toBe(false);
      expect(upload.files.map((file) => file.told?.progress)).toEqual(['ok', 'ok']);
      upload = step(upload, CHECKED);
      expect(upload.state).toBe('stored');
    }),
  );

  it('ends by itself: a dock that never says a word, or that no storage answers for', () => {
    const property = fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (answers) => {
      let upload: LogUpload = listed();
      let nowMs = NOON;
      for (let turn = 0; turn < 20_000 && !isOutcome(upload.state); turn++) {
        nowMs = Math.max(nowMs, upload.nextActionAtMs ?? nowMs);
        const due = dueNow(upload, nowMs, DEFAULT_TIMING);
        const { attempt } = upload;
        if (due?.type === 'dockWanted' || due?.type === 'extensionWanted') {
          upload = step(upload, { type: 'dockGranted', untilMs: nowMs + 600_000 }, nowMs);
        } else if (due?.type === 'checkDue') {
          upload = step(upload, due, nowMs);
          const event: UploadEvent =
            answers[turn % 60] === true
              ? { type: 'objectsChecked', attempt, files: [] }
              : { type: 'checkFailed', attempt };
          upload = step(upload, event, nowMs);
        } else if (due !== null) upload = step(upload, due, nowMs);
        else nowMs += 15_000;
      }
      expect(isOutcome(upload.state)).toBe(true);
      const stopsMs = (STOP_LIMIT + 1) * DEFAULT_TIMING.repeatMs;
      expect(nowMs).toBeLessThanOrEqual(NOON + DEFAULT_TIMING.lifetimeMs + stopsMs + LAST_LOOKS_MS);
    });
    // A day of looks each.
    fc.assert(property, { numRuns: 20 });
  });
});

const SAID_BY_DOCK: readonly EventType[] = EVENT_TYPES.filter(
  (type) => /^(start|stop|export|list)[A-Z]/.test(type) && !/Due|Overdue|GivenUp|Silent/.test(type),
);

const ENDED: UploadEvent = { type: 'exportEnded', attempt: 1, files: [told(), told({ module: 'aircraft' })] };
const EXPORT: readonly UploadEvent[] = [
  { type: 'startAccepted', attempt: 1 },
  { type: 'exportTold', attempt: 1, phase: 'pulling', files: [told({ progress: 'going', percent: 3 })] },
  { type: 'exportTold', attempt: 1, phase: 'zipping', files: [] },
  { type: 'exportTold', attempt: 1, phase: 'uploading', files: [told({ progress: 'ok' })] },
  ENDED,
];
const CHECKED: UploadEvent = {
  type: 'objectsChecked',
  attempt: 1,
  files: [
    { module: 'dock', verdict: 'ok' },
    { module: 'aircraft', verdict: 'ok' },
  ],
};

it('has builders that begin in the state that they name', () => {
  expect([requested().state, listed().state, anUpload().state]).toEqual(['requested', 'listed', 'uploading']);
});

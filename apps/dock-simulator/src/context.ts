import { randomUUID } from 'node:crypto';
import { DockClock } from './clock.js';
import { FaultPlan } from './faults.js';
import { Journal } from './journal.js';
import { type Personality, parsePersonalities } from './personalities.js';
import { Prng } from './prng.js';
import { compose, type Outgoing, type Spelling } from './wire.js';
import { type DockSettings, resolveSettings, type DockOptions } from './settings.js';

/** What every part of one dock shares. */
export interface DockContext {
  readonly settings: DockSettings;
  readonly journal: Journal;
  readonly faults: FaultPlan;
  readonly ways: ReadonlySet<Personality>;
  readonly clock: DockClock;
  readonly prng: Prng;
  /** A new `tid` or `bid`. */
  readonly newId: () => string;
  /** A message as this dock writes it, with its own time. */
  readonly write: (message: Outgoing, timestampMs?: number) => string;
}

export function makeContext(options: DockOptions): DockContext {
  const settings = resolveSettings(options);
  const prng = new Prng(settings.seed).derive(settings.sn);
  // Streams of their own: a fault that draws more often must not change the weather.
  const faults = new FaultPlan(prng.derive('faults'));
  faults.set(settings.faults);
  const ways = parsePersonalities(settings.personality);
  const ids = prng.derive('ids');
  const clock = new DockClock(faults);
  const spelling: Spelling = {
    flatProperties: ways.has('flat-osd'),
    numbersAsText: ways.has('number-statuses'),
    sortedKeys: ways.has('alphabetical-keys'),
  };
  return {
    settings,
    journal: new Journal(settings.journalEntriesMax, settings.onFact),
    faults,
    ways,
    clock,
    prng: prng.derive('behaviour'),
    // A real dock never uses a tid twice. A second run with the same seed would, and a cloud that remembers tids for
    // days would take its messages for repeats; so ids come from the seed only when asked for.
    newId: settings.messageIds === 'seeded' ? () => ids.uuid() : randomUUID,
    write: (message, timestampMs = clock.nowMs()) => compose(settings.dialect, timestampMs, message, spelling),
  };
}

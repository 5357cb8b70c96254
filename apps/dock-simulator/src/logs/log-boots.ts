import type { DockContext } from '../context.js';
import type { Prng } from '../prng.js';
import { BOOTS_MAX } from '../settings.js';

/** [Cloud API, fileupload_list] whose logs: `0` is the aircraft, `3` the dock. */
export const logModules = ['0', '3'] as const;
export type LogModule = (typeof logModules)[number];
export const AIRCRAFT: LogModule = '0';
export const DOCK: LogModule = '3';

/** The log of one power cycle. */
export interface LogBoot {
  readonly bootIndex: number;
  readonly startMs: number;
  /** Undefined while it is written. */
  readonly endMs: number | undefined;
  readonly sizeBytes: number;
}

const HOUR_MS = 3_600_000;
const OLD_BOOT_HOURS = { least: 4, most: 30 };

export function isLogModule(text: string): text is LogModule {
  return logModules.some((module) => module === text);
}

/**
 * The logs that a dock keeps of itself and of its aircraft, one for each boot.
 *
 * INVARIANTS: the boots of a module are in the order of time, their indexes count up by one, and none overlaps another;
 * only the newest may be open. Which boots there are before the dock is started follows from the seed, and when they were
 * from its start.
 */
export class LogBoots {
  private readonly boots: Record<LogModule, LogBoot[]>;

  constructor(private readonly context: DockContext) {
    this.boots = { [AIRCRAFT]: this.past(AIRCRAFT), [DOCK]: this.past(DOCK) } as Record<LogModule, LogBoot[]>;
  }

  /** Oldest first. */
  of(module: LogModule): readonly LogBoot[] {
    return this.boots[module];
  }

  find(module: LogModule, bootIndex: number): LogBoot | undefined {
    return this.boots[module].find((boot) => boot.bootIndex === bootIndex);
  }

  /** Ends the present boot, if there is one, and begins the next. */
  begin(module: LogModule): void {
    this.end(module);
    const boots = this.boots[module];
    const bootIndex = (boots.at(-1)?.bootIndex ?? 0) + 1;
    boots.push(this.open(bootIndex));
    boots.splice(0, boots.length - BOOTS_MAX);
  }

  end(module: LogModule): void {
    const boots = this.boots[module];
    const present = boots.at(-1);
    if (present?.endMs !== undefined || present === undefined) return;
    // A clock that was set back must not end a boot before its start.
    boots[boots.length - 1] = { ...present, endMs: Math.max(this.context.clock.nowMs(), present.startMs) };
  }

  private open(bootIndex: number): LogBoot {
    const { clock, settings } = this.context;
    return { bootIndex, startMs: clock.nowMs(), endMs: undefined, sizeBytes: settings.logBytes };
  }

  private past(module: LogModule): LogBoot[] {
    const { settings, prng } = this.context;
    const draws: Prng = prng.derive(`log boots ${module}`);
    const newest = Math.floor(draws.between(300, 900));
    const boots = [this.open(newest)];
    for (let age = 1; age < settings.logBoots; age += 1) {
      const endMs = boots[0]?.startMs ?? 0;
      const lengthMs = Math.round(draws.between(OLD_BOOT_HOURS.least, OLD_BOOT_HOURS.most) * HOUR_MS);
      boots.unshift({ bootIndex: newest - age, startMs: endMs - lengthMs, endMs, sizeBytes: settings.logBytes });
    }
    return boots;
  }
}

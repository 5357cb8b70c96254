import {
  type Fault,
  type FaultKind,
  type LogFault,
  logFaults,
  type Moment,
  type MomentFault,
  parseFaults,
} from './fault-words.js';
import type { Prng } from './prng.js';
import { resultCodes } from './result-codes.js';

/** What happens to one command and its answer. */
export interface CommandFate {
  /** Neither done nor answered. */
  readonly ignored: boolean;
  /** Answered with this code and not done. */
  readonly refusedWith?: number;
  /** The answer leaves this much later; the command itself is done at once. */
  readonly replyDelayMs: number;
  /** Done, and the answer is lost. */
  readonly replyLost: boolean;
  /** Answered a second time; the function gives the code of that answer from the code of the first. */
  readonly secondReply?: (first: number) => number;
}

/** The faults of one dock. All its draws come from one stream, so a seed repeats them. */
export class FaultPlan {
  private faults: Fault[] = [];
  private skewSign: 1 | -1;
  private readonly struck = new Set<string>();
  private stopPressed = false;
  private isAircraftOff = false;

  constructor(private readonly prng: Prng) {
    this.skewSign = prng.chance(0.5) ? 1 : -1;
  }

  /** Adds faults; one of the same kind for the same method or moment is replaced. */
  set(spec: string): void {
    for (const fault of parseFaults(spec)) {
      this.faults = this.faults.filter((known) => slotOf(known) !== slotOf(fault));
      this.faults.push(fault);
      // A button is pressed or not; it does not flicker.
      if (fault.kind === 'emergency-stop') this.stopPressed = this.prng.chance(fault.probability);
      if (fault.kind === 'aircraft-off') this.isAircraftOff = this.prng.chance(fault.probability);
      // Set again means: strike again.
      for (const key of this.struck) if (key.startsWith(`${slotOf(fault)} `)) this.struck.delete(key);
    }
  }

  clear(): void {
    this.faults = [];
    this.struck.clear();
    this.stopPressed = false;
    this.isAircraftOff = false;
  }

  get emergencyStopPressed(): boolean {
    return this.stopPressed;
  }

  /** No logs can be had from it. */
  get aircraftOff(): boolean {
    return this.isAircraftOff;
  }

  fateOf(method: string): CommandFate {
    const ignored = this.strikes('silent', method) !== undefined;
    const refusal = this.strikes('refuse', method);
    const slow = this.strikes('slow-reply', method);
    const replyLost = this.strikes('drop-reply', method) !== undefined;
    const twice = this.strikes('twice-reply', method);
    return {
      ignored,
      ...(refusal === undefined ? {} : { refusedWith: refusal.code }),
      replyDelayMs: slow?.delayMs ?? 0,
      replyLost,
      ...(twice === undefined ? {} : { secondReply: (first) => twice.code ?? contraryTo(first) }),
    };
  }

  duplicates(): boolean {
    return this.strikes('duplicate') !== undefined;
  }

  reorders(): boolean {
    return this.strikes('reorder') !== undefined;
  }

  /** The code with which the next flight fails. */
  failure(): number | undefined {
    return this.strikes('fail')?.code;
  }

  /** How long, in simulated time, RTK takes to converge before the next flight; undefined when it does at once. */
  slowRtkMs(): number | undefined {
    return this.strikes('rtk-slow')?.convergesAfterMs;
  }

  /** What goes wrong with the next export of logs. */
  logFaults(): ReadonlySet<LogFault> {
    return new Set(logFaults.filter((kind) => this.strikes(kind) !== undefined));
  }

  /** Does not draw: a clock is wrong all the time or not at all. */
  skewMs(): number {
    const fault = this.faults.find((known) => known.kind === 'clock-skew');
    if (fault?.kind !== 'clock-skew') return 0;
    return fault.eitherSign ? this.skewSign * fault.skewMs : fault.skewMs;
  }

  /** The faults that strike at this moment of this flight or export. Each strikes it once, or a dock could reboot for ever. */
  at(moment: Moment, about: string): readonly MomentFault[] {
    const due: MomentFault[] = [];
    for (const fault of this.faults) {
      if (!('at' in fault) || fault.at !== moment) continue;
      const key = `${slotOf(fault)} ${about}`;
      if (this.struck.has(key)) continue;
      this.struck.add(key);
      if (this.prng.chance(fault.probability)) due.push(fault);
    }
    return due;
  }

  private strikes<K extends FaultKind>(kind: K, method?: string): Extract<Fault, { kind: K }> | undefined {
    const fits = this.faults.filter((fault): fault is Extract<Fault, { kind: K }> => {
      if (fault.kind !== kind) return false;
      return !('method' in fault) || fault.method === undefined || fault.method === method;
    });
    // The one that names the method wins over the one for all.
    const fault = fits.find((candidate) => 'method' in candidate && candidate.method !== undefined) ?? fits[0];
    return fault !== undefined && this.prng.chance(fault.probability) ? fault : undefined;
  }
}

/** A second answer that says something else. */
function contraryTo(result: number): number {
  return result === resultCodes.ok ? resultCodes.systemError : resultCodes.ok;
}

function slotOf(fault: Fault): string {
  if ('method' in fault) return `${fault.kind}:${fault.method ?? ''}`;
  return 'at' in fault ? `${fault.kind}=${fault.at}` : fault.kind;
}

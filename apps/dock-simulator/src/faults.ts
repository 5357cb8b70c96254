import { InvalidError } from '@aerie/kernel';
import { parseDurationMs } from './duration.js';
import type { Prng } from './prng.js';

/** Points in the life of a dock at which a fault can strike, each at most once per flight. */
export const moments = ['online', 'prepared', 'accepted', 'flying', 'paused', 'returning', 'landed', 'ended'] as const;
export type Moment = (typeof moments)[number];

interface Common {
  /** How often the fault strikes when it could: 1 always. */
  readonly probability: number;
}

interface PerMethod extends Common {
  /** Only for this method; absent means every method. */
  readonly method?: string;
}

export type Fault =
  | (PerMethod & { readonly kind: 'silent' })
  | (PerMethod & { readonly kind: 'drop-reply' })
  | (PerMethod & { readonly kind: 'slow-reply'; readonly delayMs: number })
  | (PerMethod & { readonly kind: 'refuse'; readonly code: number })
  | (Common & { readonly kind: 'duplicate' })
  | (Common & { readonly kind: 'reorder' })
  | (Common & { readonly kind: 'clock-skew'; readonly skewMs: number; readonly eitherSign: boolean })
  | (Common & { readonly kind: 'reboot'; readonly at: Moment })
  | (Common & { readonly kind: 'offline'; readonly at: Moment; readonly forMs: number })
  | (Common & { readonly kind: 'fail'; readonly code: number });

export type FaultKind = Fault['kind'];

export const faultForms: { readonly [K in FaultKind]: string } = {
  silent: 'silent | silent=<method>',
  'drop-reply': 'drop-reply | drop-reply=<method>',
  'slow-reply': 'slow-reply=<duration> | slow-reply:<method>=<duration>',
  refuse: 'refuse=<code> | refuse:<method>=<code>',
  duplicate: 'duplicate',
  reorder: 'reorder',
  'clock-skew': 'clock-skew=+30s | clock-skew=-30s | clock-skew=±30s',
  reboot: `reboot=<moment> (${moments.join(', ')})`,
  offline: 'offline=<moment>:<duration>',
  fail: 'fail=<code>',
};

const METHOD = /^[a-z0-9_]{1,64}$/;

/** Reads a comma separated list such as `slow-reply=5s,duplicate@0.3,refuse:flighttask_execute=319016`. */
export function parseFaults(spec: string): Fault[] {
  return spec
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(parseFault);
}

function parseFault(item: string): Fault {
  const match = /^([a-z-]+)(?::([^=@]+))?(?:=([^@]+))?(?:@(.+))?$/.exec(item);
  const kind = match?.[1] ?? '';
  if (!match || !isFaultKind(kind)) {
    throw invalid(item, `known faults are ${Object.keys(faultForms).join(', ')}`);
  }
  const [, , colonText, value] = match;
  const probability = match[4] === undefined ? 1 : Number(match[4]);
  if (!(probability > 0 && probability <= 1))
    throw invalid(item, 'the probability after @ must be above 0 and at most 1');
  if (colonText !== undefined && !METHOD.test(colonText)) throw invalid(item, `"${colonText}" is no method name`);
  const method = colonText === undefined ? {} : { method: colonText };
  const wrong = (): InvalidError => invalid(item, `write ${faultForms[kind]}`);

  switch (kind) {
    case 'silent':
    case 'drop-reply': {
      if (value !== undefined && (colonText !== undefined || !METHOD.test(value))) throw wrong();
      return { kind, probability, ...(value === undefined ? method : { method: value }) };
    }
    case 'slow-reply': {
      const delayMs = parseDurationMs(value ?? '');
      if (delayMs === undefined) throw wrong();
      return { kind, probability, ...method, delayMs };
    }
    case 'refuse': {
      if (!/^\d{1,6}$/.test(value ?? '') || Number(value) === 0) throw wrong();
      return { kind, probability, ...method, code: Number(value) };
    }
    case 'duplicate':
    case 'reorder':
      if (value !== undefined || colonText !== undefined) throw wrong();
      return { kind, probability };
    case 'clock-skew': {
      const skew = /^([+-]|±)?(.+)$/.exec(value ?? '');
      const sizeMs = parseDurationMs(skew?.[2] ?? '');
      if (sizeMs === undefined || colonText !== undefined) throw wrong();
      return { kind, probability, skewMs: skew?.[1] === '-' ? -sizeMs : sizeMs, eitherSign: skew?.[1] === '±' };
    }
    case 'reboot': {
      if (!isMoment(value) || colonText !== undefined) throw wrong();
      return { kind, probability, at: value };
    }
    case 'offline': {
      const [at, length = ''] = (value ?? '').includes(':') ? (value ?? '').split(':') : ['online', value];
      const forMs = parseDurationMs(length);
      if (!isMoment(at) || forMs === undefined || colonText !== undefined) throw wrong();
      return { kind, probability, at, forMs };
    }
    case 'fail': {
      if (!/^\d{6}$/.test(value ?? '') || colonText !== undefined) throw wrong();
      return { kind, probability, code: Number(value) };
    }
  }
}

function invalid(item: string, message: string): InvalidError {
  return new InvalidError('bad_fault', `bad fault "${item}": ${message}`, { fields: [{ field: 'faults', message }] });
}

function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(faultForms, text);
}

function isMoment(text: string | undefined): text is Moment {
  return moments.some((moment) => moment === text);
}

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
}

/** The faults of one dock. All its draws come from one stream, so a seed repeats them. */
export class FaultPlan {
  private faults: Fault[] = [];
  private skewSign: 1 | -1;
  private readonly struck = new Set<string>();

  constructor(private readonly prng: Prng) {
    this.skewSign = prng.chance(0.5) ? 1 : -1;
  }

  /** Adds faults; one of the same kind for the same method or moment is replaced. */
  set(spec: string): void {
    for (const fault of parseFaults(spec)) {
      this.faults = this.faults.filter((known) => slotOf(known) !== slotOf(fault));
      this.faults.push(fault);
      // Set again means: strike again.
      for (const key of this.struck) if (key.startsWith(`${slotOf(fault)} `)) this.struck.delete(key);
    }
  }

  clear(): void {
    this.faults = [];
    this.struck.clear();
  }

  fateOf(method: string): CommandFate {
    const ignored = this.strikes('silent', method) !== undefined;
    const refusal = this.strikes('refuse', method);
    const slow = this.strikes('slow-reply', method);
    const replyLost = this.strikes('drop-reply', method) !== undefined;
    return {
      ignored,
      ...(refusal === undefined ? {} : { refusedWith: refusal.code }),
      replyDelayMs: slow?.delayMs ?? 0,
      replyLost,
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

  /** Does not draw: a clock is wrong all the time or not at all. */
  skewMs(): number {
    const fault = this.faults.find((known) => known.kind === 'clock-skew');
    if (fault?.kind !== 'clock-skew') return 0;
    return fault.eitherSign ? this.skewSign * fault.skewMs : fault.skewMs;
  }

  /** The faults that strike at this moment of this flight. Each strikes a flight once, or a dock could reboot for ever. */
  at(moment: Moment, flightId: string): readonly Extract<Fault, { kind: 'reboot' | 'offline' }>[] {
    const due: Extract<Fault, { kind: 'reboot' | 'offline' }>[] = [];
    for (const fault of this.faults) {
      if ((fault.kind !== 'reboot' && fault.kind !== 'offline') || fault.at !== moment) continue;
      const key = `${slotOf(fault)} ${flightId}`;
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

function slotOf(fault: Fault): string {
  if ('method' in fault) return `${fault.kind}:${fault.method ?? ''}`;
  return 'at' in fault ? `${fault.kind}=${fault.at}` : fault.kind;
}

import { InvalidError } from '@aerie/kernel';
import { parseDurationMs } from './duration.js';

/** Points in the life of a dock at which a fault can strike, each at most once per flight or export of logs. */
export const moments = [
  'online',
  'prepared',
  'accepted',
  'flying',
  'paused',
  'returning',
  'landed',
  'ended',
  'exporting',
] as const;
export type Moment = (typeof moments)[number];

/** What can go wrong with an export of logs, drawn for each. */
export const logFaults = [
  'log-keys-expire',
  'log-half',
  'log-fingerprint',
  'log-last-event',
  'log-elsewhere',
  'log-claims-ok',
  'log-short',
] as const;
export type LogFault = (typeof logFaults)[number];

interface Common {
  /** How often the fault strikes when it could: 1 always. */
  readonly probability: number;
}

interface PerMethod extends Common {
  /** Only for this method; absent means every method. */
  readonly method?: string;
}

interface AtMoment extends Common {
  readonly at: Moment;
}

export type Fault =
  | (PerMethod & { readonly kind: 'silent' })
  | (PerMethod & { readonly kind: 'drop-reply' })
  | (PerMethod & { readonly kind: 'slow-reply'; readonly delayMs: number })
  | (PerMethod & { readonly kind: 'refuse'; readonly code: number })
  | (Common & { readonly kind: 'duplicate' })
  | (Common & { readonly kind: 'reorder' })
  | (Common & { readonly kind: 'clock-skew'; readonly skewMs: number; readonly eitherSign: boolean })
  | (AtMoment & { readonly kind: 'reboot' | 'takeover' | 'mute' | 'forget' })
  | (AtMoment & { readonly kind: 'offline'; readonly forMs: number })
  | (Common & { readonly kind: 'fail'; readonly code: number })
  | (PerMethod & { readonly kind: 'twice-reply'; readonly code?: number })
  | (Common & { readonly kind: 'emergency-stop' | 'aircraft-off' | LogFault })
  | (Common & { readonly kind: 'rtk-slow'; readonly convergesAfterMs: number });

export type FaultKind = Fault['kind'];
/** A fault that strikes at a point in the life of a dock. */
export type MomentFault = Extract<Fault, { at: Moment }>;

/** Where a takeover and a muted dock can begin: there has to be a flight, and something left to say about it. */
const takeoverMoments: readonly Moment[] = ['flying', 'paused', 'returning'];
const muteMoments: readonly Moment[] = ['prepared', 'accepted', ...takeoverMoments, 'landed'];
const RTK_CONVERGES_AFTER_MS = 4 * 60_000;

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
  'twice-reply': 'twice-reply | twice-reply:<method> | twice-reply:<method>=<code of the second>',
  'emergency-stop': 'emergency-stop',
  takeover: `takeover=<moment> (${takeoverMoments.join(', ')})`,
  mute: `mute=<moment> (${muteMoments.join(', ')})`,
  forget: 'forget=<moment>',
  'rtk-slow': 'rtk-slow | rtk-slow=<simulated duration> (dock1)',
  'aircraft-off': 'aircraft-off',
  'log-keys-expire': 'log-keys-expire',
  'log-half': 'log-half',
  'log-fingerprint': 'log-fingerprint',
  'log-last-event': 'log-last-event',
  'log-elsewhere': 'log-elsewhere',
  'log-claims-ok': 'log-claims-ok',
  'log-short': 'log-short',
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
    case 'emergency-stop':
    case 'aircraft-off':
    case 'log-keys-expire':
    case 'log-half':
    case 'log-fingerprint':
    case 'log-last-event':
    case 'log-elsewhere':
    case 'log-claims-ok':
    case 'log-short':
      if (value !== undefined || colonText !== undefined) throw wrong();
      return { kind, probability };
    case 'clock-skew': {
      const skew = /^([+-]|±)?(.+)$/.exec(value ?? '');
      const sizeMs = parseDurationMs(skew?.[2] ?? '');
      if (sizeMs === undefined || colonText !== undefined) throw wrong();
      return { kind, probability, skewMs: skew?.[1] === '-' ? -sizeMs : sizeMs, eitherSign: skew?.[1] === '±' };
    }
    case 'reboot':
    case 'forget':
    case 'takeover':
    case 'mute': {
      const possible = kind === 'takeover' ? takeoverMoments : kind === 'mute' ? muteMoments : moments;
      if (!isMoment(value) || !possible.includes(value) || colonText !== undefined) throw wrong();
      return { kind, probability, at: value };
    }
    case 'twice-reply': {
      if (value !== undefined && !/^\d{1,6}$/.test(value)) throw wrong();
      return { kind, probability, ...method, ...(value === undefined ? {} : { code: Number(value) }) };
    }
    case 'rtk-slow': {
      const convergesAfterMs = value === undefined ? RTK_CONVERGES_AFTER_MS : parseDurationMs(value);
      if (convergesAfterMs === undefined || colonText !== undefined) throw wrong();
      return { kind, probability, convergesAfterMs };
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

import type { DockFacts } from './preflight.types.js';

/** What was heard longer ago than this says nothing about now. Docks speak each second or two. */
export const FRESH_MS = 30_000;

/** Docks tell of themselves in three parts every two seconds; five rounds are enough, also when one is lost. */
const SAYS_ALL_WITHIN_MS = 10_000;

/** Properties that a dock sends when they change, not in a rhythm: their last value holds, however old. */
const SENT_ON_CHANGE: readonly string[] = ['compatible_status'];

/** [Cloud API] 32767 in battery fields and 65535 in enumerations say unknown. */
const UNKNOWN_NUMBERS: readonly number[] = [32_767, 65_535];

/** One property as the dock last said it. `absent`: it never did. The value is there only while it is `fresh`. */
export type Reading =
  { readonly kind: 'fresh'; readonly value: unknown } | { readonly kind: 'stale' | 'absent'; readonly value?: never };

const ABSENT: Reading = { kind: 'absent' };
const STALE: Reading = { kind: 'stale' };

/** Ages below zero come from clocks of our own that differ a little. A large one is as doubtful as an old reading. */
export function isFresh(agoMs: number): boolean {
  return Math.abs(agoMs) <= FRESH_MS;
}

export function readingOf(dock: DockFacts | null, property: string): Reading {
  const entry = recordOf(memberOf(dock?.properties, property));
  // Docks tell of themselves in parts: one that was heard just now has not said everything yet.
  if (entry === null) return (numberOf(dock?.inSightForMs) ?? 0) >= SAYS_ALL_WITHIN_MS ? ABSENT : STALE;
  const fresh = SENT_ON_CHANGE.includes(property) || (typeof entry.agoMs === 'number' && isFresh(entry.agoMs));
  return fresh ? { kind: 'fresh', value: entry.value } : STALE;
}

/** A member of a JSON object; undefined where the value is none or has no such member. */
export function memberOf(value: unknown, name: string): unknown {
  return recordOf(value)?.[name];
}

/** A finite number, also as text or as a flag, since docks differ in that. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string' || !/^\s*[+-]?\d{1,15}(\.\d{1,15})?\s*$/.test(value)) return null;
  return Number(value);
}

/** A number in which the vendor's words for unknown mean null. */
export function measureOf(value: unknown): number | null {
  const number = numberOf(value);
  return number === null || UNKNOWN_NUMBERS.includes(number) ? null : number;
}

/** 0 to 100; anything else is no percentage. */
export function percentOf(value: unknown): number | null {
  const number = measureOf(value);
  return number !== null && number >= 0 && number <= 100 ? number : null;
}

/** One of the numbers that the vendor gives a meaning; another one has none. */
export function choiceOf<T extends number>(value: unknown, known: readonly T[]): T | null {
  const number = measureOf(value);
  return known.find((each) => each === number) ?? null;
}

function recordOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

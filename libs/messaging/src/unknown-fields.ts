import type { Metrics } from '@aerie/observability';

/**
 * Between our own programs a field that the contract does not know is ignored, so that replicas of two releases
 * understand each other. It is counted, so that it does not go unseen.
 */
let count: (subject: string, fields: number) => void = () => undefined;

/** Counts for all questions and facts of this process. Called once, by its host. */
export function countUnknownFields(metrics: Metrics): void {
  const counter = metrics.counter(
    'unknown_fields_total',
    'Fields of questions, answers and facts that this release does not know, and ignored.',
    ['subject'],
  );
  count = (subject, fields) => counter.inc({ subject }, fields);
}

/** `read` is what a schema made of `sent`. */
export function noteUnknownFields(subject: string, sent: unknown, read: unknown): void {
  const fields = unknownFieldsIn(sent, read);
  if (fields > 0) count(subject, fields);
}

/** Of a list only the first entry is compared: all have one schema, and a list may be long. */
function unknownFieldsIn(sent: unknown, read: unknown): number {
  if (typeof sent !== 'object' || sent === null || typeof read !== 'object' || read === null) return 0;
  if (Array.isArray(sent)) return Array.isArray(read) ? unknownFieldsIn(sent[0], read[0]) : 0;
  return Object.entries(sent).reduce((fields, [name, value]) => {
    const known = Object.hasOwn(read, name);
    return fields + (known ? unknownFieldsIn(value, (read as Record<string, unknown>)[name]) : 1);
  }, 0);
}

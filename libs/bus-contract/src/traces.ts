/** Where a span stands in a trace. */
export interface TracePlace {
  readonly traceId: string;
  readonly spanId: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SPAN_DIGITS = 16;

const digitsOf = (id: unknown): string | null =>
  typeof id === 'string' && UUID.test(id) ? id.replaceAll('-', '') : null;

/**
 * The first span of the trace of a mission: that it was accepted. The trace has the digits of the mission's id, so that each
 * program joins it, hours later too, and people find it, without anything being stored. Null: that is no id of ours.
 */
export function traceOfMission(missionId: unknown): TracePlace | null {
  const digits = digitsOf(missionId);
  return digits === null ? null : { traceId: digits, spanId: digits.slice(-SPAN_DIGITS) };
}

/** The span of a command of a mission: it has digits of the tid, which the dock puts into its reply. */
export function traceOfCommand(missionId: unknown, tid: unknown): TracePlace | null {
  const mission = traceOfMission(missionId);
  const digits = digitsOf(tid);
  return mission === null || digits === null ? null : { ...mission, spanId: digits.slice(-SPAN_DIGITS) };
}

/** To which span each item of a question with many belongs: headers as of W3C Trace Context in their order, empty for none. */
export const TRACES_HEADER = 'Aerie-Traceparents';

import type { OthersFigures } from './others.js';

/** What the other docks must not wait longer for. */
export const MOST_ANSWER_MS = 1_000;
export const MOST_END_MS = 2_000;

/** The nearest rank; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** What was lost, or ended otherwise than it should; none where all is well. */
export function lossesOf(figures: OthersFigures): string[] {
  const { unanswered, eventsSent, eventsKept, notSucceeded, flights, endTakenAfterMs } = figures;
  return [
    ...(unanswered > 0 ? [`${unanswered} requests were not answered`] : []),
    ...(eventsKept === eventsSent ? [] : [`${eventsKept} of ${eventsSent} events were kept`]),
    ...(notSucceeded.length > 0 ? [`missions ended as ${notSucceeded.join(', ')}`] : []),
    ...(endTakenAfterMs.length === flights ? [] : [`${endTakenAfterMs.length} of ${flights} ends were seen`]),
  ];
}

/** What took too long; none where all is well. */
export function delaysOf({ answeredAfterMs, endTakenAfterMs }: OthersFigures): string[] {
  const [answer, end] = [percentile(answeredAfterMs, 99), Math.max(...endTakenAfterMs)];
  return [
    ...(answer <= MOST_ANSWER_MS ? [] : [`requests were answered within ${answer.toFixed(0)} ms at p99`]),
    ...(end <= MOST_END_MS ? [] : [`an end was taken after ${end.toFixed(0)} ms`]),
  ];
}

export function lineOf(name: string, figures: OthersFigures): string {
  const { requests, unanswered, answeredAfterMs, eventsSent, eventsKept, flights, notSucceeded, endTakenAfterMs } =
    figures;
  const ms = (values: readonly number[], percent: number): string => percentile(values, percent).toFixed(0);
  return [
    `${name}:`,
    `  requests ${requests}, unanswered ${unanswered}, answered after p50 ${ms(answeredAfterMs, 50)} ms, p99 ${ms(answeredAfterMs, 99)} ms, longest ${ms(answeredAfterMs, 100)} ms`,
    `  events ${eventsSent}, kept ${eventsKept}`,
    `  flights ${flights}, not succeeded ${notSucceeded.length}, end taken after p50 ${ms(endTakenAfterMs, 50)} ms, longest ${ms(endTakenAfterMs, 100)} ms`,
  ].join('\n');
}

import { createHash } from 'node:crypto';
import type { MissionProgress } from './mission.row.js';

/** One report of a flight. */
export interface FlightReport {
  /** What makes a repeat of it the same message. */
  readonly messageId: string;
  readonly receivedAtMs: number;
  readonly progress: MissionProgress;
}

/** The same as it is kept. */
export interface KeptReport extends Omit<MissionProgress, 'reportedAt'> {
  readonly shortId: string;
  readonly receivedAtMs: number;
  /** Whether it changed the step or the tenth of the flight, which belongs into the timeline. */
  readonly isStep: boolean;
}

/** 36 bits: enough to tell so few apart. */
const SHORT_ID_CHARACTERS = 6;
const STEP = '*';
const NONE = '-';
const USUAL_STATUS = 'in_progress';

export const shortIdOf = (messageId: string): string =>
  createHash('sha256').update(messageId).digest('base64url').slice(0, SHORT_ID_CHARACTERS);

/** A report in one line of some thirty characters: `jHs8k- 1795988563385 * 40 24 3 -`. */
export function lineOf({ messageId, receivedAtMs, progress }: FlightReport, isStep: boolean): string {
  const { status, percent, currentStep, waypointIndex, mediaCount } = progress;
  const fields = [
    shortIdOf(messageId),
    String(receivedAtMs),
    isStep ? STEP : NONE,
    ...[percent, currentStep, waypointIndex, mediaCount].map((value) => (value === null ? NONE : String(value))),
    // The dock's own word, which may be anything, half a character too.
    ...(status === USUAL_STATUS ? [] : [encodeURIComponent(Buffer.from(status).toString())]),
  ];
  return fields.join(' ');
}

export function reportOf(line: string): KeptReport {
  const [shortId = '', receivedAt, step, percent, currentStep, waypointIndex, mediaCount, status] = line.split(' ');
  const number = (text: string | undefined): number | null =>
    text === undefined || text === NONE ? null : Number(text);
  return {
    shortId,
    receivedAtMs: Number(receivedAt),
    isStep: step === STEP,
    status: status === undefined ? USUAL_STATUS : decodeURIComponent(status),
    percent: number(percent),
    currentStep: number(currentStep),
    waypointIndex: number(waypointIndex),
    mediaCount: number(mediaCount),
  };
}

export const linesIn = (text: string): string[] => (text === '' ? [] : text.split('\n'));

export const reportsIn = (text: string): KeptReport[] => linesIn(text).map(reportOf);

import type { DockFact } from '@aerie/bus-contract';
import {
  type FlighttaskProgress,
  type FlighttaskProgressGet,
  type FlighttaskReady,
  type FlighttaskResourceGet,
  isAlreadyRunning,
  isBusyForNow,
  isNotPrepared,
  isTerminalStatus,
} from '@aerie/dji-protocol';
import { isUuid } from '@aerie/kernel';
import type { MissionEvent, ReportedOutcome } from '@aerie/mission-core';
import type { MissionProgress } from './reported-progress.js';
import type { StoredBreakPoint } from './dock-profiles.js';
import type { CommandName } from './command-names.js';

/** How the dock's words for the end of a flight are called here. This is the one table of them. */
const OUTCOME_OF_STATUS: Readonly<Record<string, ReportedOutcome>> = {
  ok: 'succeeded',
  partially_done: 'partially_done',
  failed: 'failed',
  rejected: 'rejected',
  canceled: 'canceled',
  timeout: 'timed_out',
};

export interface ToldOfFlight {
  readonly missionId: string;
  /** Null for a word that we do not know: kept, but it moves nothing. */
  readonly event: MissionEvent | null;
  readonly progress: MissionProgress;
  /** Where the flight stopped; null while it goes on. */
  readonly breakPoint: StoredBreakPoint | null;
  /** Whether this says that the flight goes on. */
  readonly goesOn: boolean;
}

/** The dock's word for a flight that goes on. */
const GOES_ON = 'in_progress';

/** What a `flighttask_progress` says, and of which mission. Null when it names none of ours. */
export function readProgress(fact: DockFact): ToldOfFlight | null {
  const { result, output } = fact.data as FlighttaskProgress;
  const { status, progress, ext } = output;
  // Old firmware names the flight only by the bid, which is our mission's id as well.
  const missionId = ext.flight_id ?? fact.bid;
  if (missionId == null || !isUuid(missionId)) return null;
  return {
    missionId,
    // A dock that gets ready may name the first waypoint; one further on it is in the air.
    event: eventOfStatus(status, inRange(result), (ext.current_waypoint_index ?? 0) > 0),
    progress: {
      status,
      percent: progress.percent ?? null,
      currentStep: progress.current_step ?? null,
      waypointIndex: ext.current_waypoint_index ?? null,
      mediaCount: status in OUTCOME_OF_STATUS ? (ext.media_count ?? null) : null,
      reportedAt: new Date(fact.receivedAtMs).toISOString(),
    },
    breakPoint: ext.break_point ?? null,
    goesOn: !isTerminalStatus(status),
  };
}

/** Whether a `flighttask_progress` says only that the flight goes on. */
export const isPlainProgress = (fact: DockFact): boolean =>
  (fact.data as Partial<FlighttaskProgress>).output?.status === GOES_ON;

function eventOfStatus(status: string, result: number, airborne: boolean): MissionEvent | null {
  const outcome = OUTCOME_OF_STATUS[status];
  if (outcome !== undefined) return { type: 'flightEnded', outcome, dockResult: result };
  switch (status) {
    case 'sent':
      return { type: 'flightSent' };
    case GOES_ON:
      return airborne ? { type: 'flightInProgress', airborne } : { type: 'flightInProgress' };
    case 'paused':
      return { type: 'flightPaused' };
    default:
      return null;
  }
}

/** A flight under an id that cannot be ours, and whether it goes on. Null when it has no name at all. */
export function foreignFlightOf(fact: DockFact): { readonly id: string; readonly goesOn: boolean } | null {
  const { output } = fact.data as FlighttaskProgress;
  const id = output.ext.flight_id ?? fact.bid;
  return id === null ? null : { id, goesOn: !isTerminalStatus(output.status) };
}

/** Missions whose conditions hold. [Cloud API, flighttask_ready] */
export function readReady(fact: DockFact): string[] {
  return (fact.data as FlighttaskReady).flight_ids.filter(isUuid);
}

/** The mission whose file the dock asks for. */
export function readResourceGet(fact: DockFact): string | null {
  const { flight_id } = fact.data as FlighttaskResourceGet;
  return isUuid(flight_id) ? flight_id : null;
}

/** The dock whose progress is asked for, and of which flight; null: of its newest. */
export function flightAskedFor(fact: DockFact): { readonly sn: string; readonly flightId: string | null } {
  const { sn, flight_id } = fact.data as FlighttaskProgressGet;
  return { sn, flightId: flight_id ?? null };
}

/** Dock busy with a mission, other mission running, preparing, working. [Cloud API, result codes] */
const MAY_BE_THIS_FLIGHT: ReadonlySet<number> = new Set([319_001, 319_016, 319_025, 514_148]);

/**
 * What a reply to one of our commands says. Null for a command whose reply moves nothing. `fliesOther`: the dock has
 * just named another flight than this one.
 */
export function eventOfReply(
  { method, attempt, edition }: { readonly method: string; readonly attempt: number; readonly edition: number },
  result: number,
  fliesOther: boolean,
): MissionEvent | null {
  switch (method as CommandName) {
    case 'flighttask_prepare':
      if (result === 0) return { type: 'prepareAccepted', edition };
      return isBusyForNow(result)
        ? { type: 'prepareDeferred', edition, dockResult: result }
        : { type: 'prepareRefused', edition, dockResult: result };
    case 'flighttask_execute':
    case 'flighttask_create':
      return eventOfStart(result, attempt, fliesOther);
    case 'flighttask_undo':
      // What a dock does not know, it has forgotten.
      return result === 0 || isNotPrepared(result)
        ? { type: 'undoAccepted' }
        : { type: 'undoRefused', dockResult: result };
    default:
      return null;
  }
}

function eventOfStart(result: number, attempt: number, fliesOther: boolean): MissionEvent | null {
  // "Already running" answers an execute that the dock has got before: it is this flight.
  if (result === 0 || isAlreadyRunning(result)) return { type: 'executeAccepted' };
  if (isNotPrepared(result)) return { type: 'executeUnprepared', attempt, dockResult: result };
  // "Busy with a mission" is also what a dock answers to the second copy of an execute that it is flying, when the
  // answer to the first was lost. Unless it names another flight it proves nothing: the dock is looked at.
  if (MAY_BE_THIS_FLIGHT.has(result)) return fliesOther ? busyEvent(result, attempt) : null;
  return isBusyForNow(result)
    ? { type: 'executeDeferred', attempt, dockResult: result }
    : { type: 'executeRefused', attempt, dockResult: result };
}

/** "Busy with a mission" of a dock that names another flight. Null for any other answer. */
export const busyEvent = (result: number, attempt: number): MissionEvent | null =>
  MAY_BE_THIS_FLIGHT.has(result) ? { type: 'executeDeferred', attempt, dockResult: result } : null;

const MAX_INT4 = 2_147_483_647;

/** `data.result` of a reply, brought into the range of a column: published codes have six digits. */
export const resultOf = (fact: DockFact): number => inRange((fact.data as { result: number }).result);

const inRange = (result: number): number => Math.max(-MAX_INT4, Math.min(MAX_INT4, Math.trunc(result)));

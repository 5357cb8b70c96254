import { type MissionEvent, type Observation, judgeObservation } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { type Advanced, advance } from '../advance-mission.js';
import { namesOther } from '../dji/named-flight.js';
import { busyEvent } from '../dji/translate-uplink.js';
import { findOtherFlight, findStartReply, lockMission } from '../store/flight-critical.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';
import { writeTimeline } from '../store/timeline.js';

/** What a look at a dock showed, and when it began, by our clock. */
export interface Look {
  readonly observation: Observation;
  readonly lookedAtMs: number;
}

/** No dock takes off, lands, and takes off again for somebody else in less time. */
const NO_TWO_FLIGHTS_WITHIN_MS = 90_000;

/** What a look means for a mission. Null where it proves nothing; it is noted in the timeline all the same. */
export async function settleLook(tx: Tx, missionId: string, look: Look): Promise<Advanced | null> {
  const locked = await lockMission(tx, missionId, null);
  if (locked === undefined) return null;
  const { observation } = look;
  const event = (await busyWithAnother(tx, locked)) ?? (await judge(tx, locked, look));
  const detail = { observation: observation.shows };
  if (event !== null) return advance(tx, locked, event, { detail });
  await writeTimeline(tx, [{ missionId, kind: 'note', what: 'observed', detail }]);
  return null;
}

async function judge(tx: Tx, locked: LockedMission, { observation, lookedAtMs }: Look): Promise<MissionEvent | null> {
  // A look names no flight: the aircraft that flies may be flying another one.
  const mine = observation.shows !== 'flying' || !(await mayFlyAnother(tx, locked));
  // Judged as of the look: waiting for what the dock had said proves nothing about the time since.
  const atMs = locked.now.getTime() - (Date.now() - lookedAtMs);
  return judgeObservation(missionOf(locked), mine ? observation : { shows: 'unknown' }, atMs, timingOf(locked));
}

/** Whether the dock flies, or may fly, another mission than this one, of ours or of somebody else. */
async function mayFlyAnother(tx: Tx, locked: LockedMission): Promise<boolean> {
  return namesOther(locked, null) || (await findOtherFlight(tx, locked.dock_sn, locked.id));
}

/**
 * A dock that answered execute with "busy", and named the flight that it is busy with only afterwards: then it has not
 * started this one. Null where it is not proven.
 */
async function busyWithAnother(tx: Tx, locked: LockedMission): Promise<MissionEvent | null> {
  const { id, state, attempt, started_at: startedAt, now } = locked;
  if (state !== 'starting' || startedAt === null || !namesOther(locked, startedAt.getTime())) return null;
  // Later, it may have flown this mission and landed, unheard, and fly the other one since.
  if (now.getTime() - startedAt.getTime() > NO_TWO_FLIGHTS_WITHIN_MS) return null;
  const result = await findStartReply(tx, id, attempt);
  return result === null ? null : busyEvent(result, attempt);
}

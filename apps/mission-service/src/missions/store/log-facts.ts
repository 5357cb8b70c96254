import { missionCreated, missionStateChanged } from '@aerie/bus-contract';
import { OUTCOMES, isOutcome } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';

/** States on the way of a mission that are worth a line; those between are in its timeline. */
const SAID: Readonly<Record<string, string>> = { prepared: 'mission prepared', executing: 'mission started' };

export interface EndCounter {
  inc(labels: { state: string }): void;
}

/** Each state from the start on: the first of a kind is no rise of a number that nobody has seen before. */
export function countEnds(metrics: Metrics): EndCounter {
  const ended = metrics.counter(
    'mission_ended_total',
    'Missions that ended, by state. One whose end is told twice counts twice.',
    ['state'],
  );
  for (const state of OUTCOMES) ended.inc({ state }, 0);
  return ended;
}

/**
 * Writes a line for each mission that was accepted, prepared, started and ended. A fact leaves the outbox after its
 * commit, so a line is true; one that is told twice has two lines.
 */
export function logFact(logger: Logger, subject: string, payload: unknown, ended: EndCounter): void {
  const event = subject.slice(subject.lastIndexOf('.') + 1);
  if (event === 'created') {
    const created = missionCreated.safeParse(payload);
    if (created.success) logger.info({ ...created.data }, 'mission accepted');
    return;
  }
  if (event !== 'stateChanged') return;
  const changed = missionStateChanged.safeParse(payload);
  if (!changed.success) return;
  const { missionId, dockSn, from, to, cause } = changed.data;
  if (isOutcome(to)) {
    logger.info({ missionId, dockSn, state: to, cause: cause?.code ?? null }, 'mission ended');
    ended.inc({ state: to });
  } else if (from !== to && !(to === 'executing' && from === 'paused')) {
    const text = SAID[to];
    if (text !== undefined) logger.info({ missionId, dockSn }, text);
  }
}

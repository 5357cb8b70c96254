import { type MissionDockNeeded, factSubject } from '@aerie/bus-contract';
import type { Span } from '@aerie/mission-core';
import { type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { type Holder, findHolders, withdrawDock } from '../store/dock-reservations.js';

export interface Claimant {
  readonly id: string;
  readonly organisationId: string;
  readonly dockSn: string;
}

/**
 * Makes room for a mission: exports of logs that give way are told by when. Returns who else has the dock in that span;
 * then nothing was withdrawn. The dock's row is locked.
 */
export async function clearTheWay(tx: Tx, mission: Claimant, span: Span): Promise<readonly Holder[]> {
  const holders = await findHolders(tx, mission.dockSn, span, mission.id);
  const blocking = holders.filter((holder) => !holder.gives_way);
  if (blocking.length === 0) await makeWay(tx, mission, span, holders);
  return blocking;
}

/** Takes the dock back from all who have it in that span, and give way. */
export async function makeWay(tx: Tx, mission: Claimant, span: Span, holders: readonly Holder[]): Promise<void> {
  if (holders.length === 0) return;
  const { id, organisationId, dockSn } = mission;
  const uploadIds = holders.map(({ holder_id }) => holder_id);
  const neededAt = new Date(span.fromMs);
  const told = await withdrawDock(tx, dockSn, uploadIds, neededAt);
  const facts = told.map((holderId) => {
    const payload: MissionDockNeeded = { missionId: id, dockSn, holderId, neededAt: neededAt.toISOString() };
    return { subject: factSubject('mission', organisationId, 'dockNeeded'), payload };
  });
  await writeOutbox(tx, SCHEMA, facts);
}

import type { DockProfile } from '@aerie/dji-protocol';
import { speaks } from '@aerie/dji-protocol';
import { type FieldProblem, InvalidError } from '@aerie/kernel';
import type { Delivery, MissionKind } from '@aerie/mission-core';
import { describeDock, knows } from './dock-profiles.js';

/** How this dock is given flights. [Cloud API 1.3.0] prepare and execute replace the one command of before. */
export const deliveryOf = (profile: DockProfile): Delivery =>
  knows(profile, 'flighttask_prepare') ? 'prepare' : 'create';

/** What a mission asks of its dock beyond the flight itself. */
interface Asked {
  readonly kind: MissionKind;
  readonly simulate: { readonly altitudeMeters?: number } | null;
  readonly storageNeededMegabytes: number | null;
  readonly flightAreaCheck: boolean;
  readonly timing: { readonly executeLeadMs?: number };
}

/** Refuses what this dock's model and protocol cannot do, with every field that is to be changed. */
export function checkFitsDock(input: Asked, resumes: boolean, profile: DockProfile): void {
  const problems: FieldProblem[] = [];
  const dock = describeDock(profile);
  const need = (asked: boolean, can: boolean, field: string, what: string): void => {
    if (asked && !can) problems.push({ field, message: `${what} is not possible with ${dock}; leave it out` });
  };
  const { kind, simulate } = input;
  const newer = profile.model !== 'dock1';
  const canPrepare = deliveryOf(profile) === 'prepare';
  if (kind === 'conditional' && !speaks(profile, '1.3.2')) {
    problems.push({
      field: 'kind',
      message: `a conditional mission is not possible with ${dock}; plan it as timed`,
    });
  }
  need(
    input.storageNeededMegabytes !== null,
    speaks(profile, '1.3.2'),
    'storageNeededMegabytes',
    'a storage condition',
  );
  need(simulate !== null, speaks(profile, '1.7'), 'simulate', 'a simulated mission');
  const knowsAltitude = profile.model === 'dock3' && speaks(profile, '1.15');
  need(
    simulate?.altitudeMeters !== undefined,
    knowsAltitude,
    'simulate.altitudeMeters',
    'the altitude of a simulation',
  );
  need(input.flightAreaCheck, newer && speaks(profile, '1.11'), 'flightAreaCheck', 'a check of flight areas');
  need((input.timing.executeLeadMs ?? 0) > 0, canPrepare, 'executeLeadMs', 'a start ahead of its time');
  if (resumes && !speaks(profile, '1.4')) {
    problems.push({
      field: 'dockSn',
      message: `a flight cannot be resumed with ${dock}; plan it from its beginning`,
    });
  }
  if (problems.length > 0) {
    throw new InvalidError('dock_cannot', 'the dock cannot fly this mission', { fields: problems });
  }
}

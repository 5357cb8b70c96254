import type { EventType, MissionState } from '@aerie/mission-core';
import type { CommandEffect, CommandName } from '../dock/command-names.js';
import { knows, profileOf } from '../dock/dock-profiles.js';
import type { LockedMission } from '../store/mission.row.js';

/** What a person can ask of a flight, by the last part of its route. */
export const CONTROL_ACTIONS = [
  'pause',
  'resume',
  'return-home',
  'cancel-return-home',
  'return-to-dock',
  'stop',
  'abort-setup',
] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

export interface Control {
  readonly event: Extract<EventType, `${string}Requested`>;
  readonly effect: CommandEffect;
  readonly method: CommandName;
  /** While the mission is in one of these, the table lets it through; for the message of a refusal. */
  readonly when: readonly MissionState[];
  readonly says: string;
}

/** One table of all commands in flight. None of them names a flight on the wire, except `stop`. [Cloud API 1.4, 1.11] */
export const CONTROLS: Readonly<Record<ControlAction, Control>> = {
  pause: {
    event: 'pauseRequested',
    effect: 'sendPause',
    method: 'flighttask_pause',
    when: ['executing'],
    says: 'stops on the route and hovers',
  },
  resume: {
    event: 'resumeRequested',
    effect: 'sendResume',
    method: 'flighttask_recovery',
    when: ['paused'],
    says: 'goes on with the route after a pause',
  },
  'return-home': {
    event: 'returnRequested',
    effect: 'sendReturnHome',
    method: 'return_home',
    when: ['starting', 'executing', 'paused'],
    says: 'ends the mission and flies home',
  },
  'cancel-return-home': {
    event: 'returnCancelRequested',
    effect: 'sendReturnCancel',
    method: 'return_home_cancel',
    when: ['executing', 'paused'],
    says: 'stops a return and hovers; the mission does not go on',
  },
  'return-to-dock': {
    event: 'returnElsewhereRequested',
    effect: 'sendReturnElsewhere',
    method: 'return_specific_home',
    when: ['executing', 'paused'],
    says: 'ends the mission and flies to another dock',
  },
  stop: {
    event: 'stopRequested',
    effect: 'sendStop',
    method: 'flighttask_stop',
    when: ['starting', 'executing', 'paused'],
    says: 'ends the mission at the dock',
  },
  'abort-setup': {
    event: 'setupAbortRequested',
    effect: 'sendSetupAbort',
    method: 'flight_setup_abort',
    when: ['starting', 'executing'],
    says: 'gives up while the dock gets ready, before take-off',
  },
};

export interface Choice {
  readonly action: ControlAction;
  readonly says: string;
  readonly href: string;
}

/** What can be asked of this mission now, by its state and by what its dock knows. */
export function choicesOf(mission: LockedMission): Choice[] {
  return CONTROL_ACTIONS.filter((action) => {
    const { when, method } = CONTROLS[action];
    return when.includes(mission.state) && knows(profileOf(mission), method);
  }).map((action) => ({
    action,
    says: CONTROLS[action].says,
    href: `/api/v1/missions/${mission.id}/${action}`,
  }));
}

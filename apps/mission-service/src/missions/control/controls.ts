import type { Permission } from '@aerie/bus-contract';
import { type EventType, type MissionState, isOutcome } from '@aerie/mission-core';
import type { CommandEffect, CommandName } from '../dji/command-names.js';
import { knows, profileOf } from '../dji/dock-profiles.js';
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
  /** What keeps an aircraft in the air asks for more than what ends or halts its flight. */
  readonly permission: Extract<Permission, 'missions.steer' | 'missions.stop'>;
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
    permission: 'missions.stop',
    when: ['executing'],
    says: 'stops on the route and hovers',
  },
  resume: {
    event: 'resumeRequested',
    effect: 'sendResume',
    method: 'flighttask_recovery',
    permission: 'missions.steer',
    when: ['paused'],
    says: 'goes on with the route after a pause',
  },
  'return-home': {
    event: 'returnRequested',
    effect: 'sendReturnHome',
    method: 'return_home',
    permission: 'missions.stop',
    when: ['starting', 'executing', 'paused'],
    says: 'ends the mission and flies home',
  },
  'cancel-return-home': {
    event: 'returnCancelRequested',
    effect: 'sendReturnCancel',
    method: 'return_home_cancel',
    permission: 'missions.steer',
    when: ['executing', 'paused'],
    says: 'stops a return and hovers; the mission does not go on',
  },
  'return-to-dock': {
    event: 'returnElsewhereRequested',
    effect: 'sendReturnElsewhere',
    method: 'return_specific_home',
    permission: 'missions.steer',
    when: ['executing', 'paused'],
    says: 'ends the mission and flies to another dock',
  },
  stop: {
    event: 'stopRequested',
    effect: 'sendStop',
    method: 'flighttask_stop',
    permission: 'missions.stop',
    when: ['starting', 'executing', 'paused'],
    says: 'ends the mission at the dock',
  },
  'abort-setup': {
    event: 'setupAbortRequested',
    effect: 'sendSetupAbort',
    method: 'flight_setup_abort',
    permission: 'missions.stop',
    when: ['starting', 'executing'],
    says: 'gives up while the dock gets ready, before take-off',
  },
};

/** What a person can do about a mission that is no command to a flight, by the last part of its route. */
interface OtherAction {
  readonly method: 'POST' | 'PATCH';
  readonly when: readonly MissionState[];
  readonly says: string;
  /** Of the path of the mission; empty for the mission itself. */
  readonly route: string;
  readonly fits?: (mission: Asked) => boolean;
}

const BEFORE_START: readonly MissionState[] = [
  'awaiting_approval',
  'scheduled',
  'preparing',
  'waiting_ready',
  'prepared',
];

export const OTHER_ACTIONS = {
  cancel: { method: 'POST', when: BEFORE_START, says: 'calls the mission off before it starts', route: '/cancel' },
  approve: {
    method: 'POST',
    when: ['awaiting_approval'],
    says: 'lets it start; another person than its planner',
    route: '/approve',
  },
  refuse: { method: 'POST', when: ['awaiting_approval'], says: 'ends it without an approval', route: '/refuse' },
  reschedule: {
    method: 'PATCH',
    when: ['awaiting_approval', 'scheduled', 'preparing', 'prepared'],
    says: 'moves it to another executeAt',
    route: '',
    fits: ({ kind }) => kind === 'timed',
  },
  resolve: {
    method: 'POST',
    when: ['outcome_unknown'],
    says: 'says that a person has looked at the dock, which may fly by itself again',
    route: '/resolve',
    fits: ({ resolution }) => resolution === null,
  },
} as const satisfies Readonly<Record<string, OtherAction>>;

export const CHOICE_ACTIONS = [...CONTROL_ACTIONS, 'cancel', 'approve', 'refuse', 'reschedule', 'resolve'] as const;

/** What a choice depends on. */
export type Asked = Pick<LockedMission, 'id' | 'state' | 'kind' | 'resolution'> & Parameters<typeof profileOf>[0];

export interface Choice {
  readonly action: (typeof CHOICE_ACTIONS)[number];
  readonly method: 'POST' | 'PATCH';
  readonly says: string;
  readonly href: string;
}

/** What can be asked of this mission now, by its state and by what its dock knows. */
export function choicesOf(mission: Asked): Choice[] {
  const path = `/api/v1/missions/${mission.id}`;
  const commands = CONTROL_ACTIONS.filter((action) => {
    const { when, method } = CONTROLS[action];
    return when.includes(mission.state) && knows(profileOf(mission), method);
  }).map((action): Choice => ({ action, method: 'POST', says: CONTROLS[action].says, href: `${path}/${action}` }));
  const others = (Object.entries(OTHER_ACTIONS) as [keyof typeof OTHER_ACTIONS, OtherAction][])
    .filter(([, { when, fits }]) => when.includes(mission.state) && fits?.(mission) !== false)
    .map(([action, { method, says, route }]): Choice => ({ action, method, says, href: `${path}${route}` }));
  return [...commands, ...others];
}

/** What to do instead, as the end of a sentence and as data; `choices` is left out where there is none. */
export function insteadOf(mission: Asked): {
  readonly advice: string;
  readonly details: { choices?: readonly Choice[] };
} {
  const choices = choicesOf(mission);
  if (choices.length > 0) {
    return { advice: `choose one of ${choices.map(({ action }) => action).join(', ')}`, details: { choices } };
  }
  return { advice: adviceWithoutChoice(mission.state), details: {} };
}

function adviceWithoutChoice(state: MissionState): string {
  if (isOutcome(state)) return 'it has ended; plan a new one with POST /api/v1/missions';
  if (state === 'canceling') return 'its dock was told to forget it; wait until it is canceled, GET shows it';
  return 'its dock gets ready or flies and has no such command; GET shows what becomes of it';
}

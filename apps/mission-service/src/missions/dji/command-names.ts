import type { ServiceMethod } from '@aerie/dji-protocol';
import type { Delivery, MissionKind, OrderEffect, Timing } from '@aerie/mission-core';

/** The effects that are commands to a dock. */
export type CommandEffect = Exclude<OrderEffect, 'observeFlight'>;

/** How our orders are called on the wire and in `dock_call`. */
const COMMAND_OF = {
  sendPrepare: 'flighttask_prepare',
  sendExecute: 'flighttask_execute',
  sendUndo: 'flighttask_undo',
  sendPause: 'flighttask_pause',
  sendResume: 'flighttask_recovery',
  sendReturnHome: 'return_home',
  sendReturnCancel: 'return_home_cancel',
  sendReturnElsewhere: 'return_specific_home',
  sendStop: 'flighttask_stop',
  sendSetupAbort: 'flight_setup_abort',
} as const satisfies Record<CommandEffect, ServiceMethod>;

export type CommandName = (typeof COMMAND_OF)[CommandEffect] | 'flighttask_create';

/** [Cloud API 1.1] A dock older than 1.3.0 is given a flight and started in one command. */
export const commandFor = (effect: CommandEffect, delivery: Delivery): CommandName =>
  effect === 'sendExecute' && delivery === 'create' ? 'flighttask_create' : COMMAND_OF[effect];

/** A person who presses a button means now: a command that is late is one too many. Counts from the request. */
export const WISH_LIFETIME_MS = 5_000;

/** How long a command that is no execute may wait to be written. */
export function lifetimeMs(effect: Exclude<OrderEffect, 'sendExecute'>, kind: MissionKind, timing: Timing): number {
  switch (effect) {
    case 'sendPrepare':
      return kind === 'immediate' ? timing.immediateReplyMs : timing.replyMs;
    case 'sendUndo':
    case 'observeFlight':
      return timing.replyMs;
    default:
      return WISH_LIFETIME_MS;
  }
}

import type { Effect } from '@aerie/mission-core';

/** How our orders are called on the wire and in `dock_call`. */
export const COMMAND_OF = {
  sendPrepare: 'flighttask_prepare',
  sendExecute: 'flighttask_execute',
  sendUndo: 'flighttask_undo',
} as const satisfies Partial<Record<Effect, string>>;

export type CommandName = (typeof COMMAND_OF)[keyof typeof COMMAND_OF];

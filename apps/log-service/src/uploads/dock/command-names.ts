import type { Effect } from '@aerie/log-core';

/** The effects that are commands to a dock. */
export type CommandEffect = Exclude<Effect, 'releaseDock' | 'checkObjects'>;

/** How our orders are called on the wire and in `dock_call`. */
const COMMAND_OF = {
  sendList: 'fileupload_list',
  sendStart: 'fileupload_start',
  sendStop: 'fileupload_update',
} as const satisfies Record<CommandEffect, string>;

export const commandFor = (effect: CommandEffect): (typeof COMMAND_OF)[CommandEffect] => COMMAND_OF[effect];

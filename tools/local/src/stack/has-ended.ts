import { OUTCOMES } from '@aerie/mission-core';

const ENDED: ReadonlySet<string> = new Set(OUTCOMES);

/** Whether a mission in this state, as the API shows it, is over. */
export const hasEnded = (state: string): boolean => ENDED.has(state);

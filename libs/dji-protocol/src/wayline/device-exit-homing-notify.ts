import type { z } from 'zod';
import { integer, optional, record, text } from '../tolerant.js';

/**
 * The aircraft entered or left the state "return aborted". Entered means that it is no longer on its way home: alarm
 * the operator, who may send `return_home` again. [Cloud API 1.3.1, device_exit_homing_notify]
 */
export interface DeviceExitHomingNotify {
  /** The dock; the row is missing from some versions of the table (quirk M23). */
  readonly sn?: string;
  /** 1 entered, 0 left. */
  readonly action: number;
  /**
   * 0 throttle stick, 1 pitch stick, 2 start of the behaviour tree, 3 surrounded by obstacles, 4 flight restriction,
   * 5 obstacle too close, 6 no GPS, 7 GPS and vision disagree on their validity, 8 error of GPS and vision too large,
   * 9 short backtrack, 10 return was triggered nearby. Printed as text in the example (quirk M23).
   */
  readonly reason?: number;
}

export const decodeDeviceExitHomingNotify: z.ZodType<DeviceExitHomingNotify> = record({
  sn: optional(text),
  action: integer,
  reason: optional(integer),
});

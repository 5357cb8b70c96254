import type { z } from 'zod';
import { MOST_ALARMS } from '../most.js';
import { flag, integer, list, name, optional, record, text } from '../tolerant.js';

/** One thing that is wrong with a device, as long as it is. */
export interface HmsAlarm {
  /** Names what is wrong, e.g. 0x16100083. The vendor's texts are looked up by it. */
  readonly code: string;
  /** 0 notice, 1 caution, 2 warning. */
  readonly level?: number;
  /** 0 flight task, 1 device management, 2 media, 3 health management. */
  readonly module?: number;
  /** 1: the aircraft is in the air, and another text of the vendor applies. */
  readonly in_the_sky?: number;
  /** Domain, type and subtype of the device, e.g. 0-100-0. */
  readonly device_type?: string;
  /** 1: needs attention at once. */
  readonly imminent?: number;
  /** What the vendor's text is filled with. */
  readonly args?: { readonly component_index?: number; readonly sensor_index?: number };
}

/**
 * All that is wrong with a device now: an alarm that is missing is over, and an empty list ends all. Docks and aircraft send
 * lists of their own, each under its serial number. [Cloud API 1.1, HMS, hms]
 */
export interface Hms {
  readonly list: readonly HmsAlarm[];
}

export const decodeHms: z.ZodType<Hms> = record({
  list: list(
    record({
      code: name,
      level: optional(integer),
      module: optional(integer),
      in_the_sky: optional(flag),
      device_type: optional(text),
      imminent: optional(flag),
      args: optional(record({ component_index: optional(integer), sensor_index: optional(integer) })),
    }),
    MOST_ALARMS,
  ),
});

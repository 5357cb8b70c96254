import type { z } from 'zod';
import { MOST_DEVICES } from '../most.js';
import { integer, list, name, optional, record, renamed, text, type Members } from '../tolerant.js';

/** What a gateway says of itself and of its aircraft. */
export interface TopologyDevice {
  /** `"3"` dock, `"2"` remote control, `"0"` aircraft. Missing up to 1.6 (quirk D5): then the publisher is the gateway. */
  readonly domain?: string;
  /** Together with `domain` and `sub_type` the model; older pages print another numbering. */
  readonly type?: number;
  readonly sub_type?: number;
  /** Opaque. */
  readonly device_secret?: string;
  /** Opaque. */
  readonly nonce?: string;
  /** `version` up to 1.4. */
  readonly thing_version?: string;
}

export interface TopologySubDevice extends TopologyDevice {
  readonly sn: string;
  /** `"A"` for the aircraft. */
  readonly index?: string;
}

/** The gateway is here, with or without its aircraft. [Cloud API, update_topo] */
export interface UpdateTopo extends TopologyDevice {
  /** None or one. Empty means that the aircraft went offline. */
  readonly sub_devices: readonly TopologySubDevice[];
}

const device = {
  domain: optional(text),
  type: optional(integer),
  sub_type: optional(integer),
  device_secret: optional(text),
  nonce: optional(text),
  thing_version: optional(text),
};

/** Quirk D5: an int or a text named `version` in older releases. */
const withThingVersion = (value: Members): Members => renamed(value, 'version', 'thing_version');

export const decodeUpdateTopo: z.ZodType<UpdateTopo> = record(
  {
    ...device,
    sub_devices: list(record({ ...device, sn: name, index: optional(text) }, withThingVersion), MOST_DEVICES),
  },
  (value) => ({ ...withThingVersion(value), sub_devices: value['sub_devices'] ?? [] }),
);

import { z } from 'zod';
import { isDock2OrNewer, speaks, type DockProfile } from '../dock-profile.js';
import type { JsonObject } from '../payload.js';
import { flightId, latitude, longitude, pick, written, zeroOrOne } from '../strict.js';
import { MOST_LINK_PARTS } from '../most.js';
import { decimal, flag, integer, list, name, optional, record, text } from '../tolerant.js';

/** One node of the radio link, as the aircraft reports it. */
export interface RadioNode {
  readonly sdr_id: number;
  readonly sn: string;
}

/** One of the two docks of a leapfrog flight. Values are copied from the dock's own properties (quirk M25). */
export interface LeapfrogDock {
  /** `takeoff` or `landing`. */
  readonly dock_type: string;
  /** 1 to 31, unique, preferably for ever. */
  readonly index: number;
  readonly sn: string;
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
  /** Ellipsoid height in metres. */
  readonly height: number;
  /** Degrees, -180 to 180. */
  readonly heading: number;
  readonly home_position_is_valid: number;
  readonly rtcm_info: {
    readonly mount_point: string;
    /** Typed text. */
    readonly port: string;
    readonly host: string;
    /** 1 for a dock. */
    readonly rtcm_device_type: number;
    /** 0 to 3. */
    readonly source_type: number;
  };
  readonly alternate_land_point: {
    readonly longitude: number;
    readonly latitude: number;
    /** Ellipsoid height in metres; missing from the table. */
    readonly height?: number;
    /** Metres. */
    readonly safe_land_height: number;
    readonly is_configured: number;
  };
}

/** A flight from one dock to another; the identical message goes to both. Dock 2 and 3, since 1.11. */
export interface MultiDockTask {
  readonly wireless_link_topo: {
    /** 28 numbers, from the state of the aircraft. */
    readonly secret_code: readonly number[];
    readonly center_node: RadioNode;
    /** Two; `control_source_index` is 1 or 2. */
    readonly leaf_nodes: readonly (RadioNode & { readonly control_source_index: number })[];
  };
  /** Two: where it starts and where it lands. */
  readonly dock_infos: readonly LeapfrogDock[];
}

/** Starts a prepared flight. [Cloud API 1.3.0, flighttask_execute] */
export interface FlighttaskExecute {
  readonly flight_id: string;
  readonly multi_dock_task?: MultiDockTask;
}

const node = { sdr_id: integer, sn: name };

export const decodeFlighttaskExecute: z.ZodType<FlighttaskExecute> = record({
  flight_id: name,
  multi_dock_task: optional(
    record({
      wireless_link_topo: record({
        secret_code: list(integer, MOST_LINK_PARTS),
        center_node: record(node),
        leaf_nodes: list(record({ ...node, control_source_index: integer }), MOST_LINK_PARTS),
      }),
      dock_infos: list(
        record({
          dock_type: text,
          index: integer,
          sn: name,
          latitude: decimal,
          longitude: decimal,
          height: decimal,
          heading: decimal,
          home_position_is_valid: integer,
          rtcm_info: record({
            mount_point: text,
            port: text,
            host: text,
            rtcm_device_type: integer,
            source_type: integer,
          }),
          alternate_land_point: record({
            longitude: decimal,
            latitude: decimal,
            height: optional(decimal),
            safe_land_height: decimal,
            is_configured: flag,
          }),
        }),
        MOST_LINK_PARTS,
      ),
    }),
  ),
});

const strictNode = { sdr_id: z.int(), sn: z.string().min(1) };
const strictDock = z.object({
  dock_type: z.union([z.literal('takeoff'), z.literal('landing')]),
  index: z.int().min(1).max(31),
  sn: z.string().min(1),
  latitude,
  longitude,
  height: z.number(),
  heading: z.number().min(-180).max(180),
  home_position_is_valid: z.int().min(0).max(3),
  rtcm_info: z.object({
    mount_point: z.string(),
    port: z.string(),
    host: z.string(),
    rtcm_device_type: z.literal(1),
    source_type: z.int().min(0).max(3),
  }),
  alternate_land_point: z.object({
    longitude,
    latitude,
    height: z.exactOptional(z.number()),
    safe_land_height: z.number(),
    is_configured: zeroOrOne,
  }),
});

export const strictFlighttaskExecute = z.object({
  flight_id: flightId,
  multi_dock_task: z.exactOptional(
    z.object({
      wireless_link_topo: z.object({
        secret_code: z.array(z.int()).length(28),
        center_node: z.object(strictNode),
        leaf_nodes: z.array(z.object({ ...strictNode, control_source_index: z.int().min(1).max(2) })).length(2),
      }),
      dock_infos: z.array(strictDock).length(2),
    }),
  ),
});

export function encodeFlighttaskExecute(data: unknown, profile: DockProfile): JsonObject {
  const flies = isDock2OrNewer(profile) && speaks(profile, '1.11');
  return written(
    'flighttask_execute',
    strictFlighttaskExecute,
    pick(data, flies ? ['flight_id', 'multi_dock_task'] : ['flight_id']),
  );
}

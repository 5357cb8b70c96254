import { z } from 'zod';
import type { JsonObject } from '../payload.js';
import { pick, serialNumber, written } from '../strict.js';
import { name, record } from '../tolerant.js';

/** Sends the aircraft of a leapfrog flight to one of its two docks. Dock 2 and 3. [Cloud API 1.11, return_specific_home] */
export interface ReturnSpecificHome {
  /** Serial number of the dock to land on. */
  readonly home_dock_sn: string;
}

export const decodeReturnSpecificHome: z.ZodType<ReturnSpecificHome> = record({ home_dock_sn: name });

export const strictReturnSpecificHome = z.object({ home_dock_sn: serialNumber });

export const encodeReturnSpecificHome = (data: unknown): JsonObject =>
  written('return_specific_home', strictReturnSpecificHome, pick(data, ['home_dock_sn']));

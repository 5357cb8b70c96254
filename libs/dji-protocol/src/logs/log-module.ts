import { z } from 'zod';
import { name } from '../tolerant.js';

/** Whose logs: `0` the aircraft, `3` the dock. An enumeration that is sent as text. [Cloud API 1.2, remote logs] */
export type LogModuleCode = '0' | '3';

/** Some firmware sends the number itself (quirk E18). Another module may come one day: it is kept as it is. */
export const logModule = name;

export const strictLogModules = z
  .array(z.enum(['0', '3']))
  .min(1)
  .max(2);

/** No instant in milliseconds since 1973 is smaller, and no instant in seconds before 5138 is larger. */
const MS_FROM = 100_000_000_000;

/** An instant of a log in milliseconds since the epoch: docks write seconds or milliseconds (quirk L3). */
export const logInstantMs = (instant: number): number => (instant < MS_FROM ? instant * 1_000 : instant);

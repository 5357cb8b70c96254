import { z } from 'zod';
import { approval, autoResume } from './policy.input.js';

const tunable = {
  enabled: z.boolean().describe('Whether the rule is asked at all.'),
  whenUnknown: z.enum(['pass', 'fail']).describe('What a dock that does not say means for this rule.'),
};

/** The limits of preflight as they are shown, with the defaults where the organisation says nothing. */
const preflightPolicy = z
  .strictObject({
    distance: z
      .strictObject({
        maximumMeters: z.number().describe('The farthest waypoint may be this far from the dock, metres.'),
      })
      .describe('Distance from the dock to the route. It cannot be switched off.'),
    unknown_outcome: z
      .strictObject({
        afterSeenOver: z
          .enum(['pass', 'fail'])
          .describe(
            '`fail`: also after a flight that was seen to be over the dock waits until a person has resolved it.',
          ),
      })
      .describe('A mission of the dock whose end nobody knows. It cannot be switched off.'),
    battery: z
      .strictObject({
        ...tunable,
        minimumPercent: z.number().describe('No flight starts below this charge, percent.'),
        percentPerMinute: z.number().describe('What a minute of the planned flight is reckoned to take, percent.'),
        reservePercent: z.number().describe('What is to be left after the planned flight, percent.'),
      })
      .describe('Charge of the aircraft.'),
    rain: z
      .strictObject({ ...tunable, maximumLevel: z.number().describe('0 none, 1 light, 2 moderate.') })
      .describe("Level of the dock's rain gauge."),
    wind: z
      .strictObject({ ...tunable, maximumMetersPerSecond: z.number().describe('Metres per second.') })
      .describe('Wind at the dock.'),
    temperature: z
      .strictObject({
        ...tunable,
        minimumCelsius: z.number().describe('Degrees Celsius.'),
        maximumCelsius: z.number().describe('Degrees Celsius.'),
      })
      .describe('Air temperature at the dock.'),
    storage: z
      .strictObject({ ...tunable, minimumMegabytes: z.number().describe('MB.') })
      .describe('Free storage of the dock.'),
    rtk: z.strictObject(tunable).describe("The dock's own position, for missions by RTK."),
    cover: z.strictObject(tunable).describe('The cover is closed.'),
    landing_point: z.strictObject(tunable).describe('An alternate landing point is set.'),
    firmware: z.strictObject(tunable).describe('Dock and aircraft need no consistency upgrade.'),
  })
  .describe('Limits of the rules that an organisation sets; docs/preflight.md tells about each.');

export const policySchema = z
  .strictObject({
    preflight: preflightPolicy,
    autoResume: autoResume.describe('When a flight that stopped goes on by itself, as a new mission.'),
    approval: approval.describe('Which missions need the approval of another person, when they are planned.'),
    version: z.int().describe('Grows with every change; for `If-Match`. 0: never changed.'),
  })
  .describe('What the organisation has decided for all its missions.');

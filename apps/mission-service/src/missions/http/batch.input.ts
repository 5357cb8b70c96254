import { z } from 'zod';
import { newMissionOfKinds } from './mission.input.js';

/** Written in a few transactions; more than that keeps docks locked for long. */
const MOST_MISSIONS = 500;
/** Of a mission with all that can be said, in bytes of JSON with room to spare. */
const LARGEST_MISSION_BYTES = 2 * 1024;
export const MAX_BATCH_BYTES = MOST_MISSIONS * LARGEST_MISSION_BYTES;

const parts = {
  allOrNothing: z
    .boolean()
    .default(false)
    .describe('true: when one of them is refused, none is planned. false: each has a verdict of its own.'),
};

/**
 * Body of `POST /missions/batch`. What is wrong with one mission is no fault of the others, also a character that cannot be
 * kept: nobody looks into a mission here.
 */
export const newMissions = z.strictObject({
  missions: z
    .array(z.unknown().transform((body) => ({ body: (): unknown => body })))
    .min(1)
    .max(MOST_MISSIONS),
  ...parts,
});

/** The same for the document. */
export const newMissionsOfKinds = z
  .strictObject({
    missions: z
      .array(newMissionOfKinds)
      .min(1)
      .max(MOST_MISSIONS)
      .describe('The missions, each as `POST /missions` takes it. They are planned in this order.'),
    ...parts,
  })
  .describe('Missions to plan.');

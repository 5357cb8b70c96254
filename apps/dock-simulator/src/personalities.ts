import { InvalidError } from '@aerie/kernel';

/** Ways of docks of other makes and firmware, all of them within what the protocol leaves open. */
export const PERSONALITIES = {
  'early-opener': 'opens its cover and works as soon as it has accepted a prepare',
  retainer: 'publishes everything with the retain flag, and connects with a retained will',
  'silent-homecomer': 'says nothing more of a flight once it is in the air, comes home and rests',
} as const;

export type Personality = keyof typeof PERSONALITIES;

const isPersonality = (word: string): word is Personality => Object.hasOwn(PERSONALITIES, word);

/** Reads a comma separated list such as `early-opener,silent-homecomer`. */
export function parsePersonalities(text: string): ReadonlySet<Personality> {
  const words = text.split(',').map((word) => word.trim());
  const found = new Set<Personality>();
  for (const word of words.filter((each) => each !== '')) {
    if (!isPersonality(word)) {
      const known = Object.keys(PERSONALITIES).join(', ');
      const problem = { field: 'personality', message: `"${word}" is not known; known are ${known}` };
      throw new InvalidError('bad_dock_option', `personality ${problem.message}`, { fields: [problem] });
    }
    found.add(word);
  }
  return found;
}

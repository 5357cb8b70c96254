import { InvalidError } from '@aerie/kernel';

/** Ways of docks of other makes and firmware, all of them within what the protocol leaves open. */
export const PERSONALITIES = {
  'early-opener': 'opens its cover and works as soon as it has accepted a prepare',
  retainer: 'publishes everything with the retain flag, and connects with a retained will',
  'silent-homecomer': 'says nothing more of a flight once it is in the air, comes home and rests',
  'flat-osd': 'puts the properties of osd and state beside the envelope, without `data`',
  'two-files': 'makes two files of the logs of a module, and reports both',
  'number-statuses': 'writes the status of flights as numbers, and the numbers of osd and state as texts',
  'no-gateway': 'leaves `gateway` out of its replies',
  'alphabetical-keys': 'sorts the members of what it sends',
  'aircraft-first': 'sends telemetry of its aircraft before it has said its topology, and before its own',
  'repeating-state':
    'repeats state messages of the aircraft each 8.2 s with the same tid, for as long as it is connected',
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

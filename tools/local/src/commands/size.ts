import { parseArgs } from 'node:util';
import { describe, sizeOf } from '@aerie/deploy';

const whole = { type: 'string' } as const;

/** Prints replicas, cores, memory and disk for a fleet. What may be typed is checked before it gets here. */
export function size(_root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      docks: whole,
      'flights-per-day': whole,
      minutes: whole,
      photos: whole,
      herd: whole,
      json: { type: 'boolean' },
    },
  });
  const docks = Number(values.docks ?? 100);
  const fleet = {
    docks,
    flightsPerDay: Number(values['flights-per-day'] ?? 5),
    minutesPerFlight: Number(values.minutes ?? 25),
    photosPerFlight: Number(values.photos ?? 50),
    herd: Number(values.herd ?? Math.ceil(docks / 20)),
  };
  const found = sizeOf(fleet);
  console.log(values.json === true ? JSON.stringify({ fleet, ...found }, null, 2) : describe(fleet, found));
  return Promise.resolve(0);
}

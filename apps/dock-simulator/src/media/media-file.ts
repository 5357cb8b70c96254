import type { Place } from '../geo.js';
import type { Prng } from '../prng.js';

/** A flight as far as its media go. */
export interface FlightMedia {
  readonly flightId: string;
  /** Counts the flights of this dock that brought media home, from 1. */
  readonly number: number;
  /** Of the flight's files, on the dock and below the prefix in the storage. */
  readonly folder: string;
  readonly expectedCount: number;
  uploadedCount: number;
}

/** A photo on the dock's disk. Its content is made when it is needed. */
export interface MediaFile {
  readonly flight: FlightMedia;
  /** Within the flight, from 1. */
  readonly number: number;
  readonly name: string;
  readonly takenAtMs: number;
  readonly place: Place;
}

/** The flight's clock runs faster than the dock's: photos are dated back from the landing, so far apart. */
const PHOTO_GAP_MS = 2_000;

/** The files of a flight, from where its photos were taken. */
export function mediaOf(flightId: string, number: number, photos: readonly Place[], landedAtMs: number): MediaFile[] {
  const day = digitsOf(landedAtMs).slice(0, 12);
  // A flight id is any text, and a folder is not.
  const safeId = flightId.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 64);
  const folder = `DJI_${day}_${padded(number, 3)}_${safeId}`;
  const flight = { flightId, number, folder, expectedCount: photos.length, uploadedCount: 0 };
  return photos.map((place, position) => {
    const takenAtMs = landedAtMs - (photos.length - position) * PHOTO_GAP_MS;
    const name = `DJI_${digitsOf(takenAtMs)}_${padded(position + 1, 4)}_V.jpeg`;
    return { flight, number: position + 1, name, takenAtMs, place };
  });
}

/** What is in the file: noise, the same for each run with the same seed. */
export function contentOf({ flight, number }: MediaFile, prng: Prng, sizeBytes: number): Buffer {
  const noise = prng.derive(`media ${flight.number} ${number}`);
  const words = Uint32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => noise.next() * 2 ** 32);
  return Buffer.from(words.buffer, 0, sizeBytes);
}

/** `20260131120000`, in UTC. */
function digitsOf(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\D/g, '').slice(0, 14);
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}

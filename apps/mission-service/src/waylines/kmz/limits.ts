const MEBIBYTE = 1024 * 1024;

/** What a KMZ may cost us. Every number has its reason in docs/waylines.md. */
export const LIMITS = {
  /** Real routes have a few hundred KiB; the rest is room for pictures and terrain beside them. */
  fileBytes: 10 * MEBIBYTE,
  entries: 200,
  entryNameBytes: 255,
  /** Counted while inflating, over all entries: what headers say is not believed. */
  inflatedBytes: 64 * MEBIBYTE,
  /** Deflate reaches 1,000 on zeros; routes stay below 40. */
  inflationRatio: 100,
  /** Below this an entry may have any ratio: a small file of blanks harms nobody. */
  ratioFromBytes: MEBIBYTE,
  xmlDepth: 64,
  /** Elements of both files together; bounds the time that one file can take. */
  xmlElements: 2_000_000,
  xmlAttributes: 64,
  textLength: 1024,
  waypoints: 50_000,
  routes: 200,
  /** A caller fixes the first ones and sends again. */
  problems: 20,
  warnings: 100,
} as const;

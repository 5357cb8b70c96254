// How much is read of what a device lists. Each is far above what any dock has, so that no list fills a message: one of 256 KiB
// that is full of small items takes ten milliseconds to read.

/** Docks and aircraft that one message names. */
export const MOST_DEVICES = 100;
/** Flights that one message names. */
export const MOST_FLIGHTS = 1_000;
/** Kinds of logs. There are two. */
export const MOST_MODULES = 4;
/** Power cycles of one kind of log that are not written as documented. Of others there may be as many as a message holds. */
export const MOST_ODD_BOOTS = 1_500;
/** Points of a way home. */
export const MOST_POINTS = 500;
/** Parts of the radio link between docks. There are two docks, and 28 numbers in its code. */
export const MOST_LINK_PARTS = 100;
/** Alarms of one device. Real ones have a handful. */
export const MOST_ALARMS = 200;

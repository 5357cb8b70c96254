/** The words of a flight that the pages list; firmware may invent others (quirk M3). */
export const FLIGHTTASK_STATUSES = [
  'sent',
  'in_progress',
  'paused',
  'ok',
  'partially_done',
  'canceled',
  'rejected',
  'failed',
  'timeout',
] as const;

export type DocumentedFlighttaskStatus = (typeof FLIGHTTASK_STATUSES)[number];
/** A documented word, or whatever else a device said. */
export type FlighttaskStatus = DocumentedFlighttaskStatus | (string & Record<never, never>);

const TERMINAL: ReadonlySet<string> = new Set(['ok', 'partially_done', 'canceled', 'rejected', 'failed', 'timeout']);

/** Whether a flight has ended with this word. An unknown word ends nothing. */
export const isTerminalStatus = (status: string): boolean => TERMINAL.has(status);

import type { Logger } from 'pino';

/** Pauses between two attempts; the last one is repeated. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 5_000];
const SAY_EVERY_MS = 5_000;

const awaited = new Map<symbol, string>();

/** What this process waits for at the moment, by name: for `/readyz`, and so for whoever starts it. */
export const awaitedNow = (): readonly string[] => [...new Set(awaited.values())];

export interface Attempts<Result> {
  /** As people call it: `PostgreSQL`. */
  readonly what: string;
  readonly logger: Logger;
  readonly attempt: () => Promise<Result>;
  /** Whether an error passes by itself: the server is away. Any other error is thrown. */
  readonly isPassing: (error: unknown) => boolean;
}

/** Tries until it succeeds, more slowly each time, for ever: a server that is away is no reason to end. */
export async function retryUntilReached<Result>(attempts: Attempts<Result>): Promise<Result> {
  const { what, logger, attempt, isPassing } = attempts;
  const since = new Date().toISOString();
  return whileAwaited(what, async () => {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt();
        if (failures > 0) logger.info({ failures }, `reached ${what}`);
        return result;
      } catch (error) {
        if (!isPassing(error)) throw error;
        const afterMs = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0;
        logger.warn({ err: error, afterMs, since }, `failed to reach ${what}, trying again`);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
      }
    }
  });
}

/** For clients that repeat by themselves and in silence: says every few seconds that they still wait. */
export async function sayWhileAwaited<Result>(
  what: string,
  logger: Logger,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedMs = Date.now();
  const since = new Date(startedMs).toISOString();
  const timer = setInterval(
    () => logger.warn({ waitedMs: Date.now() - startedMs, since }, `still waiting for ${what}`),
    SAY_EVERY_MS,
  );
  try {
    return await whileAwaited(what, work);
  } finally {
    clearInterval(timer);
  }
}

async function whileAwaited<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const entry = Symbol(what);
  awaited.set(entry, what);
  try {
    return await work();
  } finally {
    awaited.delete(entry);
  }
}

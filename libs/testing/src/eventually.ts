/**
 * Waits for a fact with a deadline: resolves with the first value that is neither undefined, null nor false. This is
 * how tests wait; a sleep would be either too short or too long.
 */
export async function eventually<Value>(
  what: string,
  read: () => Value | Promise<Value>,
  withinMs = 20_000,
): Promise<Exclude<Value, undefined | null | false>> {
  const startedMs = Date.now();
  let lastError: unknown;
  for (;;) {
    try {
      const value = await read();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<Value, undefined | null | false>;
      }
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() - startedMs > withinMs) {
      throw new Error(`waited ${withinMs} ms for this to hold: ${what}`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

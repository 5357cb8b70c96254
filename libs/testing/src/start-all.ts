/** How that is closed which was opened, in the order in which it was opened. */
export type Closers = (() => unknown)[];

/**
 * Opens the parts of a test. `stop` closes the last opened first; it is done also when opening fails, or the process would
 * never end.
 */
export async function startAll<Started extends object>(
  start: (closers: Closers) => Promise<Started>,
): Promise<Started & { stop(): Promise<void> }> {
  const closers: Closers = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { ...(await start(closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

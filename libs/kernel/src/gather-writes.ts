/** What it needs of a stream of Node. */
interface Corkable {
  write(...args: never[]): boolean;
  cork(): void;
  uncork(): void;
}

/**
 * Has what is written to a socket in one turn of the event loop leave in one system call, which wakes whoever reads it
 * once. Not for what has to leave within the turn in which it was decided.
 */
export function gatherWrites(socket: Corkable): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let gathers = false;
  socket.write = (...args: unknown[]): boolean => {
    if (!gathers) {
      gathers = true;
      socket.cork();
      setImmediate(() => {
        gathers = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
}

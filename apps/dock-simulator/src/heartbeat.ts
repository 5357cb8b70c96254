type Beat = () => void;

const BEAT_MS = 25;

const beats = new Set<Beat>();
let timer: NodeJS.Timeout | undefined;

/**
 * One timer for all flights of this process: hundreds of docks may fly at once, and on the ground none ticks at all.
 * Returns what ends it.
 */
export function onHeartbeat(beat: Beat): () => void {
  beats.add(beat);
  timer ??= setInterval(() => {
    for (const each of beats) each();
  }, BEAT_MS);
  return () => {
    beats.delete(beat);
    if (beats.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

import { DOCK_NOTES, FLEET_KEYS, type DockNote, NOTE_SUBJECTS } from '@aerie/bus-contract';
import type { NatsConnection } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import type { Redis } from 'ioredis';
import type { Topologies } from '../docks/topologies.js';

/** A note that did not come again for so long is over. */
const KEEP_MS = 24 * 3_600_000;

const NO_NOTES: Readonly<Record<string, string>> = {};

const keyOf = (sn: string): string => `${FLEET_KEYS}notes:${sn}`;

export interface DockNoteView {
  readonly code: string;
  readonly text: string;
  readonly detail: string | null;
  readonly count: number;
  readonly lastAt: string;
}

const isKnown = (code: string): code is keyof typeof DOCK_NOTES => Object.hasOwn(DOCK_NOTES, code);

/** How a dock speaks, where an operator has to know it: for each code the last note, and how many messages it was. */
export class DockNotes {
  constructor(
    private readonly redis: Redis,
    private readonly logger: Logger,
  ) {}

  /** Takes a note in. A lost one is said again. */
  async keep(dockSn: string, { code, detail, count, atMs }: DockNote): Promise<void> {
    // What a newer release notes has no text here.
    if (!isKnown(code)) return;
    await this.redis
      .pipeline()
      .hset(keyOf(dockSn), code, JSON.stringify([atMs, detail]))
      .hincrby(keyOf(dockSn), `#${code}`, Math.max(0, Math.trunc(count)))
      .pexpire(keyOf(dockSn), KEEP_MS)
      .exec()
      .catch((error: unknown) => this.logger.debug({ err: error, sn: dockSn }, 'failed to keep a note on a dock'));
  }

  /** The newest first; none while Redis is away. */
  async of(dockSn: string): Promise<DockNoteView[]> {
    const hash = await this.redis.hgetall(keyOf(dockSn)).catch((): Readonly<Record<string, string>> => NO_NOTES);
    return Object.entries(hash)
      .flatMap(([code, json]): (DockNoteView & { readonly atMs: number })[] => {
        if (!isKnown(code)) return [];
        const [atMs, detail] = JSON.parse(json) as [number, string | null];
        if (Date.now() - atMs > KEEP_MS) return [];
        const count = Number(hash[`#${code}`] ?? 1);
        return [{ code, text: DOCK_NOTES[code], detail, count, lastAt: new Date(atMs).toISOString(), atMs }];
      })
      .sort((one, other) => other.atMs - one.atMs)
      .map(({ atMs: _, ...view }) => view);
  }
}

/** Takes notes off the bus, shared out among the replicas. */
export function receiveNotes(
  connection: NatsConnection,
  notes: DockNotes,
  topologies: Topologies,
  logger: Logger,
): () => void {
  const subscription = connection.subscribe(NOTE_SUBJECTS, {
    queue: 'fleet-service',
    callback: (error, message) => {
      if (error) return;
      const note = message.json<DockNote>();
      topologies.dockFor(note.sn).then(
        (dockSn) => (dockSn === null ? undefined : notes.keep(dockSn, note)),
        (failure: unknown) => logger.debug({ err: failure, sn: note.sn }, 'failed to look up who speaks'),
      );
    },
  });
  return () => subscription.unsubscribe();
}

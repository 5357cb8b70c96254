import { type DockNote, type DockNoteCode, noteSubject } from '@aerie/bus-contract';
import { LRUCache } from 'lru-cache';
import type { NatsConnection } from './connection.js';

/** A note of one code about one device leaves so often at most; the messages in between are counted. */
const EVERY_MS = 5_000;
/** Devices and codes that are remembered; one that is forgotten is noted again at once. */
const MAX_REMEMBERED = 20_000;

interface Noted {
  saidAtMs: number;
  detail: string | null;
  count: number;
}

/** Tells fleet-service how docks speak. Never waits, and a note that is lost is said again with the next message. */
export class NoteDocks {
  private readonly noted = new LRUCache<string, Noted>({ max: MAX_REMEMBERED });

  constructor(private readonly connection: Pick<NatsConnection, 'publish'>) {}

  note(sn: string, code: DockNoteCode, atMs: number, detail: string | null = null): void {
    const key = `${code} ${sn}`;
    const before = this.noted.get(key) ?? { saidAtMs: -Infinity, detail: null, count: 0 };
    const count = before.count + 1;
    if (detail === before.detail && atMs - before.saidAtMs < EVERY_MS) {
      this.noted.set(key, { ...before, count });
      return;
    }
    this.noted.set(key, { saidAtMs: atMs, detail, count: 0 });
    const note: DockNote = { v: 1, sn, code, detail: detail?.slice(0, 200) ?? null, count, atMs };
    this.connection.publish(noteSubject(sn), JSON.stringify(note));
  }
}

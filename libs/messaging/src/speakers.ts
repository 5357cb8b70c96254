import { speakersQuestion } from '@aerie/bus-contract';
import { LRUCache } from 'lru-cache';
import { AskTogether } from '@aerie/kernel';
import { ask } from './ask.js';
import type { NatsConnection } from './connection.js';

/** An aircraft that changes its dock is believed to be at the old one for this long. */
const REMEMBERED_MS = 5_000;
const REMEMBERED = 50_000;

/** Which dock speaks under a serial number: the dock itself, or the one that an aircraft belongs to. */
export class Speakers {
  private readonly known = new LRUCache<string, string>({ max: REMEMBERED, ttl: REMEMBERED_MS });
  /** Thousands of docks speak less often than the memory lasts: they are looked up together. */
  private readonly unknown: AskTogether<string>;

  constructor(connection: NatsConnection) {
    this.unknown = new AskTogether(async (sns) => {
      const { speakers } = await ask(connection, speakersQuestion, { sns: [...sns] });
      return new Map(speakers.map(({ sn, dockSn }) => [sn, dockSn]));
    });
  }

  /** Null: none that is known. Rejects, so that it is tried again, when nobody can say. */
  async of(sn: string): Promise<string | null> {
    const known = this.known.get(sn);
    if (known !== undefined) return known;
    const dockSn = await this.unknown.find(sn);
    if (dockSn !== null) this.known.set(sn, dockSn);
    return dockSn;
  }

  /** What it said under this number fits no dock: it may have changed a moment ago. */
  forget(sn: string): void {
    this.known.delete(sn);
  }
}

import { type DockRecord, docksQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask } from '@aerie/messaging';

interface Asked {
  readonly sn: string;
  readonly resolve: (dock: DockRecord | null) => void;
  readonly reject: (error: unknown) => void;
}

/** As many as one question takes. */
const AT_ONCE = 500;

/**
 * Whose a dock is. All that is asked while a question is under way shares the next one: after a power cut the docks of a
 * whole region ask within a second. Nothing is remembered, so a dock that changes hands gets nothing of its old owner.
 */
export class Docks {
  private readonly asked: Asked[] = [];
  private asking = false;

  constructor(private readonly connection: NatsConnection) {}

  /** Null: no dock of ours. Rejects when that cannot be said now. */
  find(sn: string): Promise<DockRecord | null> {
    return new Promise((resolve, reject) => {
      this.asked.push({ sn, resolve, reject });
      if (!this.asking) void this.askForAll();
    });
  }

  private async askForAll(): Promise<void> {
    this.asking = true;
    // Whoever asks in this turn goes along.
    await Promise.resolve();
    while (this.asked.length > 0) {
      const batch = this.asked.splice(0, AT_ONCE);
      try {
        const { docks } = await ask(this.connection, docksQuestion, { sns: batch.map(({ sn }) => sn) });
        const bySn = new Map(docks.map((dock) => [dock.sn, dock]));
        for (const { sn, resolve } of batch) resolve(bySn.get(sn) ?? null);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.asking = false;
  }
}

import type { Logger } from '@aerie/observability';
import { ONLINE_WITHIN_MS } from './sight.js';

/**
 * Writes a line when a dock comes and when it has gone, by what this replica hears of it. Docks are spread over the
 * replicas message by message, so with several each writes its own line.
 */
export class DockSightings {
  private readonly lastMs = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  seen(dockSn: string, nowMs: number): void {
    if (!this.lastMs.has(dockSn)) this.logger.info({ dockSn }, 'dock came online');
    this.lastMs.set(dockSn, nowMs);
  }

  /** Call it every few seconds. */
  look(nowMs: number): void {
    for (const [dockSn, lastMs] of this.lastMs) {
      if (nowMs - lastMs < ONLINE_WITHIN_MS) continue;
      this.lastMs.delete(dockSn);
      this.logger.info({ dockSn, silentMs: nowMs - lastMs }, 'dock went offline');
    }
  }
}

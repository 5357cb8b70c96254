import type { IngressLinks } from '@aerie/bus-contract';

interface Link {
  /** The replica whose link it is. */
  readonly ingressId: string;
  connectedAtMs: number;
  /** Nothing waits there: it was taken over, and has not been connected since. */
  emptied: boolean;
}

/** Who is called by whom: a link that was not said to be connected for so long is gone. */
export const GONE_AFTER_MS = 10_000;
/** Others are named that may have ended for good: more of them than a site ever has are an error of somebody. */
const MAX_LINKS = 1_000;

/**
 * What the replicas say of their control connections, and which of these one of the others has to take over. All times are of
 * one clock that runs evenly.
 */
export class Roll {
  private readonly links = new Map<string, Link>();
  private readonly servingAtMs = new Map<string, number>();
  private lookedAtMs = -Infinity;

  constructor(
    private readonly ingressId: string,
    private readonly lookEveryMs: number,
  ) {}

  heard({ ingressId, links, connected }: IngressLinks, nowMs: number): void {
    if (connected.length > 0) this.servingAtMs.set(ingressId, nowMs);
    else this.servingAtMs.delete(ingressId);
    if (ingressId === this.ingressId) return;
    const theirs = new Set(links);
    // A replica that leaves in order says that it has none, and one may come back with fewer.
    for (const [clientId, link] of this.links) {
      if (link.ingressId === ingressId && !theirs.has(clientId)) this.links.delete(clientId);
    }
    const isConnected = new Set(connected);
    for (const clientId of theirs) {
      const link = this.links.get(clientId);
      if (link === undefined) {
        if (this.links.size < MAX_LINKS) this.links.set(clientId, { ingressId, connectedAtMs: nowMs, emptied: false });
      } else if (isConnected.has(clientId)) {
        link.connectedAtMs = nowMs;
        link.emptied = false;
      }
    }
  }

  /**
   * The links that this replica takes over now: all that are gone when it is the first of those that serve, which hear
   * themselves and each other; none for the others.
   */
  toTakeOver(nowMs: number): readonly string[] {
    const heldUpMs = nowMs - this.lookedAtMs - this.lookEveryMs;
    this.lookedAtMs = nowMs;
    // Who was held up itself has not read yet what the others said meanwhile.
    if (heldUpMs > this.lookEveryMs) for (const link of this.links.values()) link.connectedAtMs = nowMs;
    const serving = [...this.servingAtMs]
      .filter(([, atMs]) => nowMs - atMs < GONE_AFTER_MS / 2)
      .map(([ingressId]) => ingressId)
      .sort();
    if (serving[0] !== this.ingressId) return [];
    return [...this.links]
      .filter(([, { connectedAtMs, emptied }]) => !emptied && nowMs - connectedAtMs >= GONE_AFTER_MS)
      .map(([clientId]) => clientId);
  }

  /** Its session is empty and ended. */
  takenOver(clientId: string): void {
    const link = this.links.get(clientId);
    if (link !== undefined) link.emptied = true;
  }

  /** It could not be: tried again when it was gone for as long once more. */
  failed(clientId: string, nowMs: number): void {
    const link = this.links.get(clientId);
    if (link !== undefined) link.connectedAtMs = nowMs;
  }
}

/** What the broker lets a dock do. Its own topics only, spelled out: no wildcard, no shared subscription. */
export abstract class BrokerUsers {
  /**
   * Makes the user of a dock, or gives an existing one a new password. Safe to repeat. Rejects when the broker cannot
   * be reached or refuses; then nothing may be promised to the dock.
   */
  abstract provision(dockSn: string, password: string): Promise<void>;

  /** Lets a dock speak for these aircraft and no others. Safe to repeat. */
  abstract grantAircraft(dockSn: string, aircraftSns: readonly string[]): Promise<void>;

  /** Keeps a dock out and ends its connection; it keeps its password. One that has no user is out. Safe to repeat. */
  abstract disable(dockSn: string): Promise<void>;

  /** Lets a dock in again. Safe to repeat. */
  abstract enable(dockSn: string): Promise<void>;

  /** Takes a dock's user and role away, and ends its connection. Safe to repeat. */
  abstract remove(dockSn: string): Promise<void>;
}

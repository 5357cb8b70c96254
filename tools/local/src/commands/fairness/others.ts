import { setTimeout } from 'node:timers/promises';
import { type DockHandle, startDock } from '@aerie/dock-simulator';
import { Client } from 'pg';
import { type Api, good, registerDock } from '../../stack/api.js';
import { hasEnded } from '../../stack/has-ended.js';
import type { Stack } from '../../stack/stack.js';
import { AskingDock, KEPT_METHOD } from './asking-dock.js';

export interface OthersOptions {
  readonly stack: Stack;
  readonly api: Api;
  readonly waylineId: string;
  /** Begins the serial numbers: unlike those of earlier rounds on the same stack. */
  readonly prefix: string;
  readonly asking: number;
  readonly flying: number;
  /** Each flying dock flies one mission after the other for so long; the last one is flown to its end. */
  readonly forMs: number;
}

/** What became of the docks that do not flood. */
export interface OthersFigures {
  readonly requests: number;
  readonly unanswered: number;
  readonly answeredAfterMs: readonly number[];
  readonly eventsSent: number;
  readonly eventsKept: number;
  readonly flights: number;
  /** States in which missions ended, other than `succeeded`. */
  readonly notSucceeded: readonly string[];
  /** From the dock's word that its flight is over to the instant at which the mission has ended. */
  readonly endTakenAfterMs: readonly number[];
}

const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
/** After the last message, for what is still on its way. */
const SETTLE_MS = 30_000;
const FLIGHT_MS = 120_000;
const POLL_MS = 200;

/** Docks that live as docks do while one of them floods, or a service is gone: they ask, tell and fly. */
export class Others {
  private asking: readonly AskingDock[] = [];
  private flying: readonly DockHandle[] = [];

  private constructor(private readonly options: OthersOptions) {}

  static async bringUp(options: OthersOptions): Promise<Others> {
    const { api, prefix } = options;
    const others = new Others(options);
    const registered = (kind: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, index) => {
          const sn = `${prefix}-${kind}-${index + 1}`;
          return registerDock(api, sn, 'dock2', sn);
        }),
      );
    try {
      others.asking = await Promise.all(
        (await registered('ASKS', options.asking)).map((each) => AskingDock.connect(each)),
      );
      others.flying = await Promise.all(
        (await registered('FLIES', options.flying)).map(
          ({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }) =>
            startDock({
              ...{ sn: mqttUser, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode, position: HOME },
              ...{ speed: 60, progressIntervalMs: 500, osdIntervalMs: 1_000, mediaBytes: 0 },
            }),
        ),
      );
      await Promise.all(others.flying.map((dock) => dock.waitFor('online', 60_000)));
      return others;
    } catch (error) {
      await others.close();
      throw error;
    }
  }

  /** Lives for the given time, and then waits for what is on its way. */
  async live(): Promise<OthersFigures> {
    const untilMs = performance.now() + this.options.forMs;
    for (const dock of this.asking) dock.start();
    const flights = await Promise.all(this.flying.map((dock) => this.flyUntil(dock, untilMs)));
    await setTimeout(Math.max(0, untilMs - performance.now()));
    for (const dock of this.asking) dock.pause();
    const sent = this.asking.reduce((sum, dock) => sum + dock.sent, 0);
    await this.settle(sent);
    const flown = flights.flat();
    return {
      requests: sent,
      unanswered: this.asking.reduce((sum, dock) => sum + dock.unanswered, 0),
      answeredAfterMs: this.asking.flatMap((dock) => dock.answeredAfterMs),
      eventsSent: sent,
      eventsKept: await this.kept(),
      flights: flown.length,
      notSucceeded: flown.flatMap(({ state }) => (state === 'succeeded' ? [] : [state])),
      endTakenAfterMs: flown.flatMap(({ takenAfterMs }) => (takenAfterMs === null ? [] : [takenAfterMs])),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.asking.map((dock) => dock.close()), ...this.flying.map((dock) => dock.stop())]);
  }

  private async flyUntil(dock: DockHandle, untilMs: number): Promise<Flown[]> {
    const flown: Flown[] = [];
    do flown.push(await this.fly(dock));
    while (performance.now() < untilMs);
    return flown;
  }

  private async fly(dock: DockHandle): Promise<Flown> {
    const { api, waylineId } = this.options;
    const wish = { dockSn: dock.sn, waylineId, kind: 'immediate', rthAltitudeMeters: 60 };
    const { id } = good(await api.post<{ id: string }>('/missions', wish));
    const giveUpAtMs = performance.now() + FLIGHT_MS;
    let state = 'scheduled';
    while (!hasEnded(state) && performance.now() < giveUpAtMs) {
      await setTimeout(POLL_MS);
      ({ state } = good(await api.get<{ state: string }>(`/missions/${id}`)));
    }
    const { items } = good(await api.get<{ items: { at: string; to: string | null }[] }>(`/missions/${id}/timeline`));
    const endedAt = items.find(({ to }) => to === 'succeeded')?.at;
    const said = dock.eventsSent.find(
      ({ method, bid, data }) => method === 'flighttask_progress' && bid === id && isOver(data),
    );
    const saidAtMs = said?.timestampMs;
    const isKnown = endedAt !== undefined && saidAtMs !== undefined;
    return { state, takenAfterMs: isKnown ? Date.parse(endedAt) - saidAtMs : null };
  }

  /** Until all that was sent has been answered and kept, or for as long as it may take. */
  private async settle(sent: number): Promise<void> {
    const giveUpAtMs = performance.now() + SETTLE_MS;
    const isThere = async (): Promise<boolean> =>
      this.asking.every(({ unanswered }) => unanswered === 0) && (await this.kept()) >= sent;
    while (performance.now() < giveUpAtMs && !(await isThere())) await setTimeout(POLL_MS);
  }

  private async kept(): Promise<number> {
    const client = new Client({ connectionString: this.options.stack.infrastructure.databaseUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM fleet.kept_message WHERE method = $1 AND sn = ANY($2::text[])',
        [KEPT_METHOD, this.asking.map(({ sn }) => sn)],
      );
      return rows[0]?.count ?? 0;
    } finally {
      await client.end();
    }
  }
}

interface Flown {
  readonly state: string;
  readonly takenAfterMs: number | null;
}

const isOver = (data: unknown): boolean => (data as { output?: { status?: unknown } }).output?.status === 'ok';

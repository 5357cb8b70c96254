import { SINCE_VERSION } from '@aerie/http-api';
import { UnavailableError } from '@aerie/kernel';
import { isOutcome } from '@aerie/mission-core';
import type { Logger } from '@aerie/observability';
import { type ApiDatabase, type OrganisationRows, type Reach, reachKeyOf } from '@aerie/persistence';
import { Observable, type Subscriber } from 'rxjs';
import { newestLive, showLive } from '../missions/store/flight-live.js';
import type { MissionRow } from '../missions/store/mission.row.js';
import { type MissionView, viewOf } from '../missions/views/mission.view.js';

/** Changes are looked for this often, with one query for all that are watched in an organisation, or at the same docks of it. */
const PERIOD_MS = 500;
/** Each costs a connection of its caller and one id in that query. */
const MAX_WATCHES = 2_000;

interface Watch {
  readonly reach: Reach;
  readonly id: string;
  readonly subscriber: Subscriber<MissionView>;
  version: number;
  /** How many reports of its flight were told. */
  reports: number;
}

interface Seen {
  readonly id: string;
  readonly revision: number;
  readonly reports: number;
}

/** Tells callers of every change of their missions. The truth is the table: nothing that is lost on a bus is lost here. */
export class WatchMissions {
  private readonly watches = new Set<Watch>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(
    private readonly database: ApiDatabase,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.look(), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const { subscriber } of this.watches) {
      subscriber.error(new UnavailableError('stopping', 'this process stops; watch the mission again'));
    }
  }

  /** The mission now, then each change, and the end once it has ended. The caller has checked that it may see it. */
  watch(reach: Reach, first: MissionView): Observable<MissionView> {
    return new Observable((subscriber) => {
      subscriber.next(first);
      if (isOutcome(first.state)) return subscriber.complete();
      if (this.watches.size >= MAX_WATCHES) {
        return subscriber.error(
          new UnavailableError('too_many_watches', 'too many missions are watched here, try again'),
        );
      }
      const watch: Watch = {
        ...{ reach, id: first.id, subscriber },
        ...{ version: first.version, reports: first[SINCE_VERSION] },
      };
      this.watches.add(watch);
      return () => this.watches.delete(watch);
    });
  }

  private async look(): Promise<void> {
    if (this.looking || this.watches.size === 0) return;
    this.looking = true;
    try {
      const byReach = new Map<string, { readonly reach: Reach; readonly watches: Watch[] }>();
      for (const watch of this.watches) {
        const key = reachKeyOf(watch.reach);
        const others = byReach.get(key);
        if (others === undefined) byReach.set(key, { reach: watch.reach, watches: [watch] });
        else others.watches.push(watch);
      }
      for (const { reach, watches } of byReach.values()) await this.lookFor(this.database.of(reach), watches);
    } catch (error) {
      this.logger.info({ err: error }, 'failed to look for changes of watched missions');
    } finally {
      this.looking = false;
    }
  }

  private async lookFor(own: OrganisationRows, watches: readonly Watch[]): Promise<void> {
    const rows = await own.query<Seen>(
      `SELECT m.id, m.revision, coalesce(l.reports + l.gathered, 0) AS reports
         FROM mission.mission m LEFT JOIN LATERAL ${newestLive('m.id')} AS l ON true WHERE m.id = ANY($1::uuid[])`,
      [[...new Set(watches.map(({ id }) => id))]],
    );
    const now = new Map(rows.map((row) => [row.id, row]));
    const changed = watches.filter((watch) => {
      const row = now.get(watch.id);
      return row?.revision !== watch.version || row.reports !== watch.reports;
    });
    if (changed.length > 0) await this.tell(own, changed);
  }

  private async tell(own: OrganisationRows, changed: readonly Watch[]): Promise<void> {
    const rows = await own.query<MissionRow>('SELECT * FROM mission.mission WHERE id = ANY($1::uuid[])', [
      [...new Set(changed.map(({ id }) => id))],
    ]);
    const views = new Map((await showLive(own, rows)).map((row) => [row.id, viewOf(row)]));
    for (const watch of changed) {
      const view = views.get(watch.id);
      if (view === undefined) continue;
      watch.version = view.version;
      watch.reports = view[SINCE_VERSION];
      watch.subscriber.next(view);
      if (isOutcome(view.state)) watch.subscriber.complete();
    }
  }
}

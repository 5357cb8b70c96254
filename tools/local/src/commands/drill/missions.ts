import { setTimeout } from 'node:timers/promises';
import type { DockHandle } from '@aerie/dock-simulator';
import { Problem } from '../../infrastructure/problem.js';
import { type Api, good } from '../../stack/api.js';
import { hasEnded } from '../../stack/has-ended.js';

export interface MissionView {
  readonly id: string;
  readonly dockSn: string;
  readonly state: string;
  readonly cause: { readonly code: string } | null;
}

/** What a mission of the drill is to show. */
export type Role =
  'in the air' | 'started after the backup' | 'due after the restore' | 'canceled after the backup' | 'load';

/** A mission that was accepted, by us, with the instant of its 201. */
export interface Accepted {
  readonly id: string;
  readonly role: Role;
  readonly dock: DockHandle;
  readonly acceptedAtMs: number;
}

const POLL_MS = 250;

/** The missions of a drill, as a client of the API asks for them. */
export class DrillMissions {
  readonly accepted: Accepted[] = [];
  private stopped = false;
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly api: Api,
    private readonly waylineId: string,
  ) {}

  async plan(role: Role, dock: DockHandle, when: Readonly<Record<string, unknown>>): Promise<Accepted> {
    const body = { dockSn: dock.sn, waylineId: this.waylineId, rthAltitudeMeters: 60, ...when };
    const { id } = good(await this.api.post<MissionView>('/missions', body));
    const accepted = { id, role, dock, acceptedAtMs: Date.now() };
    this.accepted.push(accepted);
    return accepted;
  }

  /** One immediate mission after the other, until `stopLoad`. */
  load(dock: DockHandle): void {
    const fly = async (): Promise<void> => {
      while (!this.stopped) {
        try {
          const { id } = await this.plan('load', dock, { kind: 'immediate' });
          while (!this.stopped && !hasEnded((await this.find(id))?.state ?? '')) await setTimeout(POLL_MS);
        } catch {
          // The machine is lost in the middle of a request: nothing was accepted that anybody knows of.
          await setTimeout(POLL_MS);
        }
      }
    };
    this.loops.push(fly());
  }

  async stopLoad(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  /** Undefined: there is no such mission. */
  async find(id: string): Promise<MissionView | undefined> {
    const answer = await this.api.get<MissionView>(`/missions/${id}`);
    return answer.status === 404 ? undefined : good(answer);
  }

  of(role: Role): Accepted[] {
    return this.accepted.filter((each) => each.role === role);
  }

  /** Waits until each of them is as it should be. */
  async until(
    missions: readonly Accepted[],
    is: (mission: MissionView) => boolean,
    what: string,
    withinMs: number,
  ): Promise<MissionView[]> {
    const giveUpAtMs = Date.now() + withinMs;
    for (;;) {
      const views = await Promise.all(missions.map(({ id }) => this.find(id)));
      const missing = views.filter((view) => view === undefined || !is(view));
      if (missing.length === 0) return views as MissionView[];
      if (Date.now() > giveUpAtMs) {
        const states = views
          .map((view) => `${view?.id} ${view?.state} (${view?.cause?.code ?? 'no cause'})`)
          .join('\n');
        throw new Problem(`${missing.length} of ${missions.length} missions are not ${what}:\n${states}`);
      }
      await setTimeout(POLL_MS);
    }
  }
}

import { type DockRecord, type MissionStateChanged, dockQuestion } from '@aerie/bus-contract';
import type { Selection, Timing } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type DatabaseOf, inTransaction, sqlState } from '@aerie/persistence';
import type { PolicyStore } from '../policy/policy.store.js';
import { insertUpload } from '../uploads/request-upload.js';

/** The ends of a mission that somebody will want to understand. A refusal or a cancel left no flight to look into. */
const FAILURES: ReadonlySet<string> = new Set(['failed', 'timed_out', 'outcome_unknown']);

/** Before the start and after the end: what led to it, and clocks of docks that are off. */
const MARGIN_MS = 2 * 60_000;
/** A mission that was never started: the dock was being prepared this long before its end. */
const WITHOUT_START_MS = 30 * 60_000;
/** After an outage, or when this service is new, older failures are for people to ask for. */
const OLDEST_MS = 24 * 60 * 60_000;

/** Whose logs tell of a mission that ended like this; null where nobody will ask. */
export function windowOf(
  fact: MissionStateChanged,
  nowMs: number,
): { readonly fromMs: number; readonly untilMs: number } | null {
  const endedMs = Date.parse(fact.at);
  if (!FAILURES.has(fact.to) || nowMs - endedMs > OLDEST_MS) return null;
  const startedMs = fact.startedAt == null ? endedMs - WITHOUT_START_MS : Date.parse(fact.startedAt);
  return { fromMs: startedMs - MARGIN_MS, untilMs: endedMs + MARGIN_MS };
}

export interface CollectParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly connection: NatsConnection;
  readonly policies: PolicyStore;
  readonly timing: Timing;
  readonly wake: () => void;
}

/** When a mission has failed, the logs of the power cycles in which it happened are collected and attached to it. */
export class CollectForMission {
  constructor(private readonly parts: CollectParts) {}

  /** Once for each mission, however often it is told. */
  async onStateChanged(organisationId: string, fact: MissionStateChanged): Promise<void> {
    const window = windowOf(fact, Date.now());
    if (window === null) return;
    const { policies, connection, wake } = this.parts;
    const policy = await policies.of(organisationId);
    if (!policy.collectOnFailure) return;
    if (fact.endedBy === 'person' && !policy.collectWhenEndedByPerson) return;
    const { dock } = await ask(connection, dockQuestion, { sn: fact.dockSn });
    if (dock?.sn !== fact.dockSn || dock.organisationId !== organisationId) return;
    const selection: Selection = { kind: 'window', ...window, modules: policy.collectModules };
    const isNew = await this.insert(dock, selection, fact.missionId, policy.missionsFirst).catch((error: unknown) => {
      // It was told twice: the first one stands.
      if (sqlState(error) === '23505') return false;
      throw error;
    });
    if (isNew) wake();
  }

  private async insert(dock: DockRecord, selection: Selection, missionId: string, yields: boolean): Promise<boolean> {
    const { dataSource, timing } = this.parts;
    await inTransaction(dataSource, (tx) =>
      insertUpload(tx, {
        dock,
        selection,
        missionId,
        campaignId: null,
        origin: 'mission',
        by: 'policy',
        yields,
        timing,
      }),
    );
    return true;
  }
}

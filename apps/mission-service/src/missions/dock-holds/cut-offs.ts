import type { DockStateView, cutOffDockQuestion, endCutOffQuestion } from '@aerie/bus-contract';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import type { z } from 'zod';
import { namesOther } from '../dji/named-flight.js';
import { aircraftOutAgoMs, type ObserveDock } from '../downlink/observe-dock.js';
import { type DockForCutOff, endCutOff, holdForCutOff, lockForCutOff } from '../store/cut-offs.js';
import { keepDocks } from '../store/flight-critical.js';

type CutOffAsk = z.infer<(typeof cutOffDockQuestion)['ask']>;
type CutOffAnswer = z.infer<(typeof cutOffDockQuestion)['answer']>;
type EndAsk = z.infer<(typeof endCutOffQuestion)['ask']>;

const GRANTED: CutOffAnswer = { granted: true, because: null, missionId: null };
const refused = (because: CutOffAnswer['because'], missionId: string | null = null): CutOffAnswer => ({
  granted: false,
  because,
  missionId,
});

/**
 * Says whether a dock may be cut off at the broker: never while it has a flight, or may have one. A yes is written down
 * under the lock that each claim takes, so no flight starts between the answer and the cut.
 */
export class CutOffs {
  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly observeDock: Pick<ObserveDock, 'look'>,
  ) {}

  async grant(ask: CutOffAsk): Promise<CutOffAnswer> {
    const { dockSn: sn, organisationId, model, protocolGeneration, cutOffId, untilMs } = ask;
    // Before the dock is locked: nothing is waited for while it is.
    const looked = await this.look(sn);
    return inTransaction(this.dataSource, async (tx): Promise<CutOffAnswer> => {
      await keepDocks(tx, [{ sn, organisationId, model, protocolGeneration }]);
      const dock = await lockForCutOff(tx, sn);
      if (dock === undefined || dock.organisation_id !== organisationId) return refused('not_known');
      const answer = judge(dock, looked, ask);
      if (answer.granted) await holdForCutOff(tx, { dockSn: sn, cutOffId, untilMs });
      return answer;
    });
  }

  /** Whether starts were held back until now. */
  end({ dockSn, cutOffId }: EndAsk): Promise<boolean> {
    return inTransaction(this.dataSource, (tx) => endCutOff(tx, dockSn, cutOffId));
  }

  /** Null: nobody could say. */
  private async look(sn: string): Promise<DockStateView | null> {
    const views = await this.observeDock.look([sn]).catch(() => null);
    return views?.get(sn) ?? null;
  }
}

function judge(dock: DockForCutOff, view: DockStateView | null, { notAfterMs, cutOffId }: CutOffAsk): CutOffAnswer {
  // An answer that comes too late would hold missions back for a cut that does not come.
  if (dock.now.getTime() >= notAfterMs) return refused('not_known');
  const latest = Number(dock.cut_off_id ?? 0);
  // A later one began, or this one was ended: the question was long on its way.
  if (latest > cutOffId || (latest === cutOffId && dock.cut_off_ended)) return refused('not_known');
  // Nothing has started since the first yes.
  if (latest === cutOffId && dock.cut_off_holds) return GRANTED;
  if (view === null) return refused('not_known');
  if (dock.flight !== null) return refused('flight', dock.flight);
  if (dock.unresolved !== null && !dock.unresolved.seenOver) return refused('unknown_outcome', dock.unresolved.id);
  if (namesOther({ id: '', ...dock }, null)) return refused('other_flight');
  return isAircraftOut(dock, view) ? refused('aircraft_out') : GRANTED;
}

/** A dock that flooded while it flew may have said nothing since but that the flight is over, which is never left out. */
function isAircraftOut({ now, came_home_at: homeAt }: DockForCutOff, view: DockStateView): boolean {
  const agoMs = aircraftOutAgoMs(view);
  return agoMs !== null && (homeAt === null || homeAt.getTime() <= now.getTime() - agoMs);
}

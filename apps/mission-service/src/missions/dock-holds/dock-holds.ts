import type { releaseDockQuestion, takeDockQuestion } from '@aerie/bus-contract';
import { InvalidError, UnavailableError } from '@aerie/kernel';
import { type DatabaseOf, type Tx, inTransaction } from '@aerie/persistence';
import type { z } from 'zod';
import { findBusyMission, findHolders, findOwnHold, giveBack, holdDock } from '../store/dock-reservations.js';
import { keepDocks, lockDock } from '../store/flight-critical.js';

type TakeAsk = z.infer<(typeof takeDockQuestion)['ask']>;
type TakeAnswer = z.infer<(typeof takeDockQuestion)['answer']>;
type Refusal = NonNullable<TakeAnswer['refusal']>;
type ReleaseAsk = z.infer<(typeof releaseDockQuestion)['ask']>;

/**
 * Lends a dock to an export of logs. A dock that exports refuses missions, so it is lent only up to the next mission;
 * the same lock is taken by every plan and every claim.
 */
export class DockHolds {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /**
   * @throws InvalidError when the dock is another organisation's, or the holder has another dock
   * @throws UnavailableError when nobody waits for it any more
   */
  take(ask: TakeAsk): Promise<TakeAnswer> {
    const { organisationId, dockSn, model, protocolGeneration, holderId: uploadId, forMs } = ask;
    const { yields, generation } = ask;
    return inTransaction(this.dataSource, async (tx) => {
      await keepDocks(tx, [{ sn: dockSn, organisationId, model, protocolGeneration }]);
      const nowMs = await checkOwner(tx, ask);
      // Under the lock, and by the last look at a clock: whoever asked has given the dock back by then, or will.
      if (nowMs >= ask.notAfterMs) throw new UnavailableError('too_late', 'the dock was asked for too long ago');
      const span = { fromMs: nowMs, untilMs: nowMs + forMs };
      const refusal = await refusalOf(tx, ask, span);
      if (refusal !== null) return { untilMs: null, refusal };
      if (!(await holdDock(tx, { dockSn, uploadId, span, yields, generation })))
        throw invalid('holderId', 'has another dock');
      return { untilMs: span.untilMs, refusal: null };
    });
  }

  /** Whether it was the holder's until now. */
  release({ dockSn, holderId, generation }: ReleaseAsk): Promise<boolean> {
    return inTransaction(this.dataSource, async (tx) => {
      await lockDock(tx, dockSn);
      return giveBack(tx, dockSn, holderId, generation);
    });
  }
}

/** Returns the database's time, read with the dock locked. */
async function checkOwner(tx: Tx, { dockSn, organisationId }: TakeAsk): Promise<number> {
  const dock = await tx.one<{ organisation_id: string; now: Date }>(
    'SELECT organisation_id, clock_timestamp() AS now FROM mission.dock WHERE sn = $1',
    [dockSn],
  );
  if (dock?.organisation_id !== organisationId) throw invalid('dockSn', 'belongs to another organisation');
  return dock.now.getTime();
}

async function refusalOf(
  tx: Tx,
  { dockSn, holderId }: TakeAsk,
  span: { readonly fromMs: number; readonly untilMs: number },
): Promise<Refusal | null> {
  const own = await findOwnHold(tx, dockSn, holderId);
  if (own !== undefined && own.withdrawn_at !== null) return { because: 'withdrawn', holderId: null, freeAtMs: null };
  const holders = await findHolders(tx, dockSn, span, holderId);
  const freeAtMs = holders.length === 0 ? null : Math.max(...holders.map(({ until_at }) => until_at.getTime()));
  const busy = await findBusyMission(tx, dockSn);
  if (busy !== undefined) return { because: busy.flies ? 'flight' : 'mission', holderId: busy.id, freeAtMs };
  const [first] = holders;
  return first === undefined ? null : { because: first.holder_kind, holderId: first.holder_id, freeAtMs };
}

const invalid = (field: string, message: string): InvalidError =>
  new InvalidError('dock_not_for_holder', `${field} ${message}`, { fields: [{ field, message }] });

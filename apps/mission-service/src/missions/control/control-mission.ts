import { type Principal, dockQuestion } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, demand, unknownDock, recordChanges } from '@aerie/http-api';
import { ConflictError, InvalidError, UnavailableError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { MissionEvent } from '@aerie/mission-core';
import { type ApiDatabase, type Tx, inTransaction, reachesDock } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { callerIdOf } from '../caller-id.js';
import { type CommandParameters, advance } from '../advance-mission.js';
import { describeDock, knows, profileOf } from '../dji/dock-profiles.js';
import { namesOther } from '../dji/named-flight.js';
import { WISH_LIFETIME_MS } from '../dji/command-names.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import { lockMission, withdrawStart } from '../store/flight-critical.js';
import type { LockedMission } from '../store/mission.row.js';
import { type MissionView, viewOf } from '../views/mission.view.js';
import { isReached } from '../store/is-reached.js';
import { unknownMission } from '../views/unknown-mission.js';
import { CONTROLS, type ControlAction, insteadOf } from './controls.js';

export interface ControlRequest {
  readonly action: ControlAction;
  readonly reason: string | null;
  readonly version: ExpectedVersion;
  readonly parameters: CommandParameters;
}

/** What ends a flight also ends a start. */
const ENDS_A_START: ReadonlySet<ControlAction> = new Set(['stop', 'return-home', 'abort-setup']);

const isWithdrawn = async (tx: Tx, { id, state, attempt }: LockedMission): Promise<boolean> =>
  state === 'starting' && withdrawStart(tx, id, attempt);

/** The command that was recorded; what became of it shows in the mission's list of commands. */
export interface ControlAccepted {
  readonly mission: MissionView;
  /** Null: the start had not been handed to anybody, and was withdrawn; nothing needs to be told to the dock. */
  readonly command: { readonly id: string; readonly method: string } | null;
}

/**
 * A person's command to a flight. It is sent once, within seconds or not at all, and never repeated. It changes no
 * state by itself: what the dock does about it shows in its progress. Only what ends a flight withdraws a start that was
 * not handed to the ingress, and calls the mission off.
 */
export class ControlMission {
  constructor(
    private readonly database: ApiDatabase,
    private readonly connection: NatsConnection,
    private readonly afterCommit: AfterCommit,
    /** Goes on while the process is frozen; never set. */
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  async execute(caller: Principal, id: string, request: ControlRequest): Promise<ControlAccepted> {
    const askedAtMs = this.monotonicMs();
    const { action, reason, parameters } = request;
    const { event, method, permission } = CONTROLS[action];
    demand(caller, permission);
    if (parameters.homeDockSn !== undefined) await this.checkHomeDock(caller, parameters.homeDockSn);
    const { locked, withdrawn, advanced } = await inTransaction(this.database.of(caller), async (tx) => {
      const found = await lockMission(tx, id, null);
      if (found === undefined || !isReached(caller, found)) throw unknownMission(id);
      checkVersion(request.version, found.revision);
      if (!knows(profileOf(found), method)) throw dockCannot(found, action);
      const waitedMs = this.monotonicMs() - askedAtMs;
      if (waitedMs >= WISH_LIFETIME_MS) throw waitedTooLong(action, waitedMs);
      const wish = { by: callerIdOf(caller), reason, parameters, waitedMs };
      const withdrawn = ENDS_A_START.has(action) && (await isWithdrawn(tx, found));
      // What is withdrawn reaches no dock, whatever flies there.
      if (!withdrawn && fliesAnother(found)) throw otherFlight(found);
      const happened: MissionEvent = withdrawn ? { type: 'startWithdrawn', attempt: found.attempt } : { type: event };
      const detail = withdrawn ? { detail: { asked: action } } : {};
      const advanced = await advance(tx, found, happened, { wish, ...detail });
      const { homeDockSn } = parameters;
      const resources = homeDockSn === undefined ? {} : { homeDockSn };
      if (advanced.decision.kind !== 'refused') await recordChanges(tx, SCHEMA, [{ caller, resources }]);
      return { locked: found, withdrawn, advanced };
    });
    if (advanced.decision.kind === 'refused') throw notNow(locked, action);
    this.afterCommit.run(advanced);
    const command = withdrawn ? null : { id: advanced.orders[0]?.tid ?? '', method };
    return { mission: viewOf(advanced.mission), command };
  }

  /** An aircraft lands on docks of its own organisation only, and on those that its pilot reaches. */
  private async checkHomeDock(caller: Principal, dockSn: string): Promise<void> {
    const { dock } = await ask(this.connection, dockQuestion, { sn: dockSn }).catch((error: unknown) => {
      throw new UnavailableError('dock_check_unavailable', 'nobody can say now whose dock that is; use return-home', {
        cause: error,
      });
    });
    const isOwn = dock !== null && dock.sn === dockSn && dock.organisationId === caller.organisationId;
    if (isOwn && reachesDock(caller, dockSn)) return;
    throw unknownDock('dockSn', dockSn);
  }
}

/**
 * The command would reach whatever flies. A dock that has named another flight, after its last word about this one and
 * after its start, is not flying this one.
 */
const fliesAnother = (mission: LockedMission): boolean =>
  namesOther(mission, Math.max(mission.heard_at?.getTime() ?? 0, mission.started_at?.getTime() ?? 0));

function otherFlight({ dock_flight_id, dock_sn }: LockedMission): ConflictError {
  const message = `dock ${dock_sn} says that it flies ${dock_flight_id}, not this mission; look at that flight`;
  return new ConflictError('other_flight', message, {
    fields: [{ field: 'id', message }],
    details: { flightId: dock_flight_id },
  });
}

function waitedTooLong(action: ControlAction, waitedMs: number): UnavailableError {
  const message = `${action} was not sent: the request waited ${Math.round(waitedMs)} ms for the database; ask again if it is still wanted`;
  return new UnavailableError('request_waited_too_long', message);
}

function notNow(mission: LockedMission, action: ControlAction): ConflictError {
  const { when } = CONTROLS[action];
  const { advice, details } = insteadOf(mission);
  const message = `${action} is for a mission that is ${when.join(' or ')}; this one is ${mission.state}: ${advice}`;
  return new ConflictError('mission_state', message, {
    fields: [{ field: 'id', message }],
    details: { state: mission.state, ...details },
  });
}

function dockCannot(mission: LockedMission, action: ControlAction): InvalidError {
  const { advice, details } = insteadOf(mission);
  const message = `${describeDock(profileOf(mission))} has no ${CONTROLS[action].method}: ${advice}`;
  return new InvalidError('dock_cannot', message, { fields: [{ field: 'action', message }], details });
}

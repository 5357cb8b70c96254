import { randomUUID } from 'node:crypto';
import { type DockRecord, type Principal, dockQuestion, factSubject } from '@aerie/bus-contract';
import { type StoredAnswer, once } from '@aerie/http-api';
import { type FieldProblem, InvalidError, NotFoundError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type MissionKind, planMission } from '@aerie/mission-core';
import { type Tx, inTransaction, writeOutbox } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../database.js';
import type { AdvanceMission } from './advance-mission.js';
import { canPrepare } from './dock/dock-commands.js';
import { lockMission } from './store/flight-critical.js';
import { type Positioning, type RcLost, dateOf } from './store/mission.row.js';
import { viewOf } from './store/mission.view.js';
import { writeTimeline } from './store/timeline.js';

export interface NewMission {
  readonly dockSn: string;
  readonly waylineId: string;
  readonly kind: Extract<MissionKind, 'immediate' | 'timed'>;
  readonly executeAtMs: number | null;
  readonly rthAltitudeMeters: number;
  readonly exitOnRcLost: RcLost | null;
  readonly positioning: Positioning;
  readonly name: string | null;
}

interface Wayline {
  readonly name: string;
  readonly exit_on_rc_lost: RcLost;
}

/** Accepts a mission. The answer is given only after the mission and the record of the answer are committed. */
export class CreateMission {
  constructor(
    private readonly dataSource: DataSource,
    private readonly connection: NatsConnection,
    private readonly advanceMission: AdvanceMission,
    private readonly wake: (missionId: string) => void,
  ) {}

  async execute(
    caller: Principal,
    input: NewMission,
    request: { readonly idempotencyKey: string | undefined; readonly body: unknown },
  ): Promise<StoredAnswer> {
    const dock = await this.findDock(caller, input.dockSn);
    const id = randomUUID();
    const answer = await inTransaction(this.dataSource, (tx) =>
      once(
        tx,
        SCHEMA,
        {
          organisationId: caller.organisationId,
          route: 'POST /missions',
          key: request.idempotencyKey,
          body: request.body,
        },
        () => this.insert(tx, id, caller, dock, input),
      ),
    );
    // Harmless for a repeat, whose mission has another id.
    if (input.kind === 'immediate') this.wake(id);
    return answer;
  }

  private async findDock(caller: Principal, dockSn: string): Promise<DockRecord> {
    const { dock } = await ask(this.connection, dockQuestion, { sn: dockSn });
    if (dock === null || dock.sn !== dockSn || dock.organisationId !== caller.organisationId) {
      throw notFound('unknown_dock', { field: 'dockSn', message: 'is no registered dock' });
    }
    if (!canPrepare(dock.model, dock.protocolGeneration)) {
      const message = `this dock speaks protocol ${dock.protocolGeneration}, which has no flighttask_prepare`;
      throw new InvalidError('dock_too_old', 'the dock cannot fly this mission', {
        fields: [{ field: 'dockSn', message }],
      });
    }
    return dock;
  }

  private async insert(
    tx: Tx,
    id: string,
    caller: Principal,
    dock: DockRecord,
    input: NewMission,
  ): Promise<StoredAnswer> {
    const { organisationId } = caller;
    const wayline = await tx.one<Wayline>(
      'SELECT name, exit_on_rc_lost FROM mission.wayline WHERE organisation_id = $1 AND id = $2',
      [organisationId, input.waylineId],
    );
    if (wayline === undefined)
      throw notFound('unknown_wayline', { field: 'waylineId', message: 'is no stored wayline' });
    const exitOnRcLost = input.exitOnRcLost ?? wayline.exit_on_rc_lost;
    if (exitOnRcLost !== wayline.exit_on_rc_lost) {
      const message = `the wayline's file says ${wayline.exit_on_rc_lost}; both must agree`;
      throw new InvalidError('invalid_input', 'the mission does not fit its wayline', {
        fields: [{ field: 'exitOnRcLost', message }],
      });
    }
    const nowMs = await this.databaseNowMs(tx);
    if (input.executeAtMs !== null && input.executeAtMs <= nowMs) throw inThePast();
    const plan = planMission(
      { kind: input.kind, ...(input.executeAtMs === null ? {} : { executeAtMs: input.executeAtMs }) },
      nowMs,
      this.advanceMission.timing,
    );
    await tx.run(
      `INSERT INTO mission.dock (sn, organisation_id, model, protocol_generation) VALUES ($1, $2, $3, $4)
       ON CONFLICT (sn) DO UPDATE SET model = excluded.model, protocol_generation = excluded.protocol_generation`,
      [dock.sn, organisationId, dock.model, dock.protocolGeneration],
    );
    await tx.run(
      `INSERT INTO mission.mission (id, organisation_id, dock_sn, wayline_id, name, kind, state, revision, execute_at,
         prepare_at, deadline, prepare_count, attempt, undo_count, since, next_action_at, rth_altitude_meters,
         exit_on_rc_lost, positioning, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, $12, $13, $14, $15, $16, $17)`,
      [
        id,
        organisationId,
        dock.sn,
        input.waylineId,
        input.name ?? wayline.name,
        plan.kind,
        plan.state,
        plan.revision,
        dateOf(plan.executeAtMs),
        new Date(plan.prepareAtMs),
        dateOf(plan.deadlineMs),
        new Date(plan.sinceMs),
        dateOf(plan.nextActionAtMs),
        input.rthAltitudeMeters,
        exitOnRcLost,
        input.positioning,
        caller.keyId,
      ],
    );
    await writeTimeline(tx, {
      missionId: id,
      kind: 'note',
      what: 'created',
      toState: plan.state,
      revision: plan.revision,
      detail: { plan, by: caller.keyId },
    });
    await writeOutbox(tx, SCHEMA, [
      {
        subject: factSubject('mission', organisationId, 'created'),
        payload: { missionId: id, dockSn: dock.sn, kind: plan.kind, executeAt: dateOf(plan.executeAtMs) },
      },
    ]);
    const row = await lockMission(tx, id, dock.sn);
    if (row === undefined) throw new Error('a mission vanished in its own transaction');
    return { status: 201, body: JSON.stringify(viewOf(row)) };
  }

  private async databaseNowMs(tx: Tx): Promise<number> {
    const row = await tx.one<{ now: Date }>('SELECT clock_timestamp() AS now');
    return row?.now.getTime() ?? 0;
  }
}

const notFound = (code: string, field: FieldProblem): NotFoundError =>
  new NotFoundError(code, `${field.field} ${field.message}`, { fields: [field] });

export function inThePast(): InvalidError {
  return new InvalidError('invalid_input', 'the body is not valid', {
    fields: [{ field: 'executeAt', message: 'lies in the past' }],
  });
}

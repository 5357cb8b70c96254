import { randomUUID } from 'node:crypto';
import { type DockRecord, type Principal, callerName, dockQuestion } from '@aerie/bus-contract';
import {
  type IdempotentRequest,
  type StoredAnswer,
  answerOnce,
  once,
  requestOf,
  unknownDock,
  recordChanges,
} from '@aerie/http-api';
import { isSerialNumber } from '@aerie/kernel';
import type { Selection, Timing } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type ApiDatabase, type Reach, type Tx, inTransaction, reachesDock } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { PolicyStore } from '../policy/policy.store.js';
import { lockUpload } from './store/upload-critical.js';
import type { LockedUpload, Origin } from './store/upload.row.js';
import { writeTimeline } from './store/timeline.js';
import type { NewUpload } from './upload.input.js';
import { viewOf } from './store/upload.view.js';

export interface RequestUploadParts {
  readonly database: ApiDatabase;
  readonly connection: NatsConnection;
  readonly policies: PolicyStore;
  readonly timing: Timing;
  /** Something is due. */
  readonly wake: () => void;
}

type Request = Omit<IdempotentRequest, 'organisationId'>;

/** Accepts an upload: from the commit on it is never forgotten. */
export class RequestUpload {
  constructor(private readonly parts: RequestUploadParts) {}

  /** The answer to a request that was accepted before, also while `accept` refused it; otherwise that of `accept`. */
  answerOnce(caller: Principal, request: Request, accept: () => Promise<StoredAnswer>): Promise<StoredAnswer> {
    return answerOnce(this.parts.database, SCHEMA, requestOf(caller, request), accept);
  }

  async execute(caller: Principal, input: NewUpload, request: Request): Promise<StoredAnswer> {
    const { database, policies, timing, wake } = this.parts;
    const { organisationId } = caller;
    const dock = await this.findDock(caller, input.dockSn);
    const { missionsFirst } = await policies.of(organisationId);
    const answer = await inTransaction(database.of(caller), (tx) =>
      once(tx, SCHEMA, requestOf(caller, request), async () => {
        const { selection, missionId } = input;
        const row = await insertUpload(tx, {
          ...{ dock, selection, missionId: null, attachedTo: missionId, campaignId: null, origin: 'person' },
          ...{ by: callerName(caller), yields: missionsFirst, timing },
        });
        await recordChanges(tx, SCHEMA, [{ caller, resources: { uploadId: row.id } }]);
        return { status: 201, body: JSON.stringify(viewOf(row)) };
      }),
    );
    wake();
    return answer;
  }

  /** @throws NotFoundError naming `field` */
  async findDock(reach: Reach, sn: string, field = 'dockSn'): Promise<DockRecord> {
    // What cannot be one is not asked for.
    const { dock } = isSerialNumber(sn) ? await ask(this.parts.connection, dockQuestion, { sn }) : { dock: null };
    if (dock?.sn === sn && dock.organisationId === reach.organisationId && reachesDock(reach, sn)) return dock;
    throw unknownDock(field, sn);
  }
}

export interface UploadToInsert {
  readonly dock: DockRecord;
  readonly selection: Selection;
  /** The mission whose failure it is for. */
  readonly missionId: string | null;
  /** A mission that a person attaches it to. */
  readonly attachedTo?: string | null;
  readonly campaignId: string | null;
  readonly origin: Origin;
  readonly by: string;
  readonly yields: boolean;
  readonly timing: Timing;
}

/** Writes a new upload, and its first line in the timeline. */
export async function insertUpload(tx: Tx, upload: UploadToInsert): Promise<LockedUpload> {
  const { dock, selection, origin, timing } = upload;
  const id = randomUUID();
  const inserted = tx.run(
    `INSERT INTO log.upload (
       id, organisation_id, dock_sn, aircraft_sn, model, protocol_generation, origin, mission_id, attached_to, campaign_id,
       selection, state, revision, files, list_count, attempt, failures, held_count, dock_may_export, stop_count, since,
       deadline, next_action_at, timing, yields, created_by)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'requested', 1, '[]', 0, 0, 0, 0, false, 0, now,
            now + $12 * interval '1 millisecond', now, $13, $14, $15
       FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS now) AS clock`,
    [
      ...[id, dock.organisationId, dock.sn, dock.aircraftSn, dock.model, dock.protocolGeneration, origin],
      ...[upload.missionId, upload.attachedTo ?? upload.missionId, upload.campaignId, JSON.stringify(selection)],
      ...[timing.lifetimeMs, JSON.stringify(timing), upload.yields, upload.by],
    ],
  );
  const detail = { selection, origin, by: upload.by };
  const [, , row] = await Promise.all([
    inserted,
    writeTimeline(tx, [{ uploadId: id, kind: 'note', what: 'requested', toState: 'requested', revision: 1, detail }]),
    lockUpload(tx, id),
  ]);
  if (row === undefined) throw new Error('an upload vanished in its own transaction');
  return row;
}

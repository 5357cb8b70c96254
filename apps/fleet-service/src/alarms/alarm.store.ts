import { type Principal, callerName } from '@aerie/bus-contract';
import { type ApiDatabase, type Reach, type Tx, amongDocks, inTransaction, reachesDock } from '@aerie/persistence';

export interface AlarmRow {
  readonly id: string;
  readonly dock_sn: string;
  readonly device_sn: string;
  readonly code: string;
  readonly component_index: number | null;
  readonly sensor_index: number | null;
  readonly module: number | null;
  readonly device_type: string | null;
  readonly level: number | null;
  readonly in_the_sky: boolean;
  readonly imminent: boolean;
  readonly opened_at: Date;
  readonly seen_at: Date;
  readonly closed_at: Date | null;
  readonly times: number;
  readonly acknowledged_at: Date | null;
  readonly acknowledged_by: string | null;
  readonly note: string | null;
  readonly assigned_to: string | null;
  /** `opened_at` to the microsecond, for cursors. */
  readonly position: string;
}

/** Which alarms are looked for; what is undefined does not matter. */
export interface AlarmSearch {
  readonly open?: boolean | undefined;
  readonly acknowledged?: boolean | undefined;
  readonly dockSn?: string | undefined;
  readonly deviceSn?: string | undefined;
  readonly after: { readonly createdAt: string; readonly id: string } | null;
  readonly limit: number;
}

export interface AlarmChange {
  readonly assignedTo?: string | null | undefined;
  readonly note?: string | null | undefined;
}

const ALARM = `
  SELECT a.id, a.dock_sn, a.device_sn, a.code, a.component_index::float8, a.sensor_index::float8, a.module::float8,
         a.device_type, a.level::float8, a.in_the_sky, a.imminent, a.opened_at, a.seen_at, a.closed_at, a.times,
         a.acknowledged_at, a.acknowledged_by, a.note, m.person_id AS assigned_to,
         to_char(a.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
    FROM fleet.alarm a
    LEFT JOIN fleet.member m ON m.organisation_id = a.organisation_id AND m.person_id = a.assigned_to`;

const ONE = `${ALARM} WHERE a.organisation_id = $1 AND a.id = $2`;

/** Alarms of an organisation, for people. */
export class AlarmStore {
  constructor(private readonly database: ApiDatabase) {}

  /** The newest first: one more than `limit` where there are more. */
  list(reach: Reach, { open, acknowledged, dockSn, deviceSn, after, limit }: AlarmSearch): Promise<AlarmRow[]> {
    // A condition of its own, so that the index of open alarms serves it.
    const isOpen = open === undefined ? '' : `AND a.closed_at IS ${open ? '' : 'NOT '}NULL`;
    return this.database.of(reach).query<AlarmRow>(
      `${ALARM}
        WHERE a.organisation_id = $1 ${isOpen}
          AND ($2::boolean IS NULL OR (a.acknowledged_at IS NOT NULL) = $2)
          AND ($3::text IS NULL OR a.dock_sn = $3)
          AND ($4::text IS NULL OR a.device_sn = $4)
          AND ${amongDocks('$8', 'a.dock_sn')}
          AND ($5::timestamptz IS NULL OR (a.opened_at, a.id) < ($5, $6::uuid))
        ORDER BY a.opened_at DESC, a.id DESC LIMIT $7`,
      [
        ...[reach.organisationId, acknowledged ?? null, dockSn ?? null, deviceSn ?? null],
        ...[after?.createdAt ?? null, after?.id ?? null, limit + 1, reach.dockSns],
      ],
    );
  }

  async find(reach: Reach, id: string): Promise<AlarmRow | undefined> {
    const [row] = await this.database.of(reach).query<AlarmRow>(ONE, [reach.organisationId, id]);
    return row !== undefined && reachesDock(reach, row.dock_sn) ? row : undefined;
  }

  /** Who was first stays; a note replaces the one before. Undefined: there is no such alarm. */
  async acknowledge(caller: Principal, id: string, note: string | undefined): Promise<AlarmRow | undefined> {
    return inTransaction(this.database.of(caller), async (tx) => {
      if ((await findIn(tx, caller, id)) === undefined) return undefined;
      await tx.run(
        `UPDATE fleet.alarm SET acknowledged_at = coalesce(acknowledged_at, clock_timestamp()),
                acknowledged_by = coalesce(acknowledged_by, $3), note = coalesce($4, note)
          WHERE organisation_id = $1 AND id = $2`,
        [caller.organisationId, id, callerName(caller), note ?? null],
      );
      return findIn(tx, caller, id);
    });
  }

  /** Undefined: there is no such alarm; `noMember`: nobody with this id is a member. */
  async change(caller: Principal, id: string, change: AlarmChange): Promise<AlarmRow | undefined | 'noMember'> {
    const { organisationId } = caller;
    const { assignedTo, note } = change;
    return inTransaction(this.database.of(caller), async (tx) => {
      if ((await findIn(tx, caller, id)) === undefined) return undefined;
      if (assignedTo != null) {
        const member = await tx.one('SELECT 1 FROM fleet.member WHERE organisation_id = $1 AND person_id = $2', [
          ...[organisationId, assignedTo],
        ]);
        if (member === undefined) return 'noMember';
      }
      await tx.run(
        `UPDATE fleet.alarm SET assigned_to = CASE WHEN $3 THEN $4::uuid ELSE assigned_to END,
                note = CASE WHEN $5 THEN $6 ELSE note END
          WHERE organisation_id = $1 AND id = $2`,
        [organisationId, id, assignedTo !== undefined, assignedTo ?? null, note !== undefined, note ?? null],
      );
      return findIn(tx, caller, id);
    });
  }
}

async function findIn(tx: Tx, reach: Reach, id: string): Promise<AlarmRow | undefined> {
  const row = await tx.one<AlarmRow>(ONE, [reach.organisationId, id]);
  return row !== undefined && reachesDock(reach, row.dock_sn) ? row : undefined;
}

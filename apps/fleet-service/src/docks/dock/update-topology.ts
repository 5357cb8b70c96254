import { type DockFact, factSubject } from '@aerie/bus-contract';
import { type UpdateTopo } from '@aerie/dji-protocol';
import { isSerialNumber } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, type Tx, enterInbox, inTransaction, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { recordMove } from '../aircraft-moves.js';
import { BrokerUsers } from '../broker/broker-users.js';
import type { Topologies } from '../topologies.js';
import { AIRCRAFT_DOMAIN, DOCK_DOMAIN, modelKeyOf } from './model-keys.js';

const bounded = (topology: UpdateTopo): UpdateTopo => ({
  ...topology,
  sub_devices: topology.sub_devices.slice(0, MAX_AIRCRAFT),
});

const modelKeysOf = ({ sub_devices }: UpdateTopo): ReadonlyMap<string, string | null> =>
  new Map(sub_devices.map((device) => [device.sn, modelKeyOf(device, AIRCRAFT_DOMAIN)]));

/** A topology as it may be kept. */
const withoutSecrets = (topology: UpdateTopo): unknown =>
  JSON.parse(
    JSON.stringify(topology, (key, value: unknown) => (key === 'device_secret' || key === 'nonce' ? undefined : value)),
  );

/**
 * Aircraft of one dock. The protocol knows one; what one dock sends must not grow the commands to the broker, and its
 * file, which all docks share.
 */
const MAX_AIRCRAFT = 8;

/** A dock says that it is here, and with which aircraft. [Cloud API, update_topo] */
export class UpdateTopology {
  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly brokerUsers: BrokerUsers,
    private readonly topologies: Topologies,
    private readonly logger: Logger,
  ) {}

  async execute(dockSn: string, fact: DockFact, topology: UpdateTopo, messageId: string): Promise<void> {
    // Only the dock itself tells its topology, never its aircraft.
    if (fact.sn !== dockSn) return;
    const named = [...new Set(topology.sub_devices.map(({ sn }) => sn).filter(isSerialNumber))];
    const wanted = named.slice(0, MAX_AIRCRAFT);
    if (named.length > wanted.length) {
      this.logger.warn({ dockSn, named: named.length, taken: wanted.length }, 'a topology names too many aircraft');
    }
    const former = await inTransaction(this.dataSource, async (tx): Promise<readonly string[]> => {
      if (!(await enterInbox(tx, SCHEMA, { sn: fact.sn, method: 'update_topo', messageId }))) return [];
      const dock = await tx.one<{ organisation_id: string; topology_at: Date | null }>(
        'SELECT organisation_id, topology_at FROM fleet.dock WHERE sn = $1 AND retired_at IS NULL FOR UPDATE',
        [dockSn],
      );
      // An older topology that was delivered late must not undo a newer one.
      if (dock === undefined || (dock.topology_at !== null && dock.topology_at.getTime() > fact.receivedAtMs))
        return [];
      // A time from the future would make the next topologies pass for older ones.
      const saved = tx.run(
        `UPDATE fleet.dock SET topology = $2, topology_at = least(to_timestamp($3 / 1000.0), clock_timestamp()),
                updated_at = clock_timestamp(),
                reported_model_key = coalesce($4, reported_model_key)
          WHERE sn = $1`,
        [
          dockSn,
          JSON.stringify(withoutSecrets(bounded(topology))),
          fact.receivedAtMs,
          modelKeyOf(topology, DOCK_DOMAIN),
        ],
      );
      const formerly = tx.query<{ sn: string; dock_sn: string }>(
        'SELECT sn, dock_sn FROM fleet.aircraft WHERE sn = ANY($1::text[]) AND dock_sn <> $2 ORDER BY sn FOR UPDATE',
        [wanted, dockSn],
      );
      // Sent together, and worked off in this order: who held an aircraft is read before it is bound.
      const [, holders, bound] = await Promise.all([
        saved,
        formerly,
        this.bindAircraft(tx, dock.organisation_id, dockSn, wanted, modelKeysOf(topology)),
      ]);
      const moved = holders.filter(({ sn }) => bound.includes(sn));
      for (const { sn: aircraftSn, dock_sn: fromDockSn } of moved) {
        const organisationId = dock.organisation_id;
        await recordMove(tx, { organisationId, aircraftSn, fromDockSn, toDockSn: dockSn, reason: 'named' });
        this.logger.info({ aircraftSn, fromDockSn, toDockSn: dockSn }, 'aircraft moved to the dock that named it last');
      }
      await writeOutbox(tx, SCHEMA, [
        {
          subject: factSubject('fleet', dock.organisation_id, 'dockTopologyChanged'),
          payload: { sn: dockSn, aircraftSns: bound },
        },
      ]);
      return [...new Set(moved.map(({ dock_sn }) => dock_sn))];
    });
    for (const sn of wanted) this.topologies.forget(sn);
    // Who lost an aircraft loses the right to speak for it, before somebody else gets it.
    for (const sn of former) await this.grantAtBroker(sn, true);
    await this.grantAtBroker(dockSn, false);
  }

  /**
   * An aircraft follows the dock that named it last, within one organisation: a replacement dock gets it although the
   * dead one never told that it is gone. No dock gets an aircraft of another organisation, or a dock as its aircraft.
   */
  private async bindAircraft(
    tx: Tx,
    organisationId: string,
    dockSn: string,
    wanted: readonly string[],
    modelKeys: ReadonlyMap<string, string | null>,
  ): Promise<string[]> {
    await tx.run(
      `UPDATE fleet.aircraft SET online = false, updated_at = clock_timestamp()
        WHERE dock_sn = $1 AND online AND NOT sn = ANY($2::text[])`,
      [dockSn, wanted],
    );
    const bound: string[] = [];
    for (const sn of wanted) {
      const rows = await tx.query(
        `INSERT INTO fleet.aircraft AS a (sn, organisation_id, dock_sn, online, model_key)
         SELECT $1, $2, $3, true, $4 WHERE NOT EXISTS (SELECT 1 FROM fleet.dock WHERE sn = $1)
         ON CONFLICT (sn) DO UPDATE SET online = true, updated_at = clock_timestamp(), dock_sn = $3,
           granted_at = CASE WHEN a.dock_sn = $3 THEN a.granted_at END,
           model_key = coalesce(excluded.model_key, a.model_key)
          WHERE a.organisation_id = $2
         RETURNING 1`,
        [sn, organisationId, dockSn, modelKeys.get(sn) ?? null],
      );
      if (rows.length > 0) bound.push(sn);
      else
        this.logger.warn(
          { dockSn, aircraftSn: sn },
          'refused an aircraft that belongs to another organisation, or is a dock',
        );
    }
    // Those that were in the dock last stay known; a dock that names others all the time holds no more than these.
    await tx.run(
      `DELETE FROM fleet.aircraft
        WHERE dock_sn = $1 AND NOT online AND sn NOT IN (
          SELECT sn FROM fleet.aircraft WHERE dock_sn = $1 ORDER BY online DESC, updated_at DESC, sn LIMIT $2)`,
      [dockSn, MAX_AIRCRAFT],
    );
    return bound;
  }

  /** After the commit, and before the answer: a dock that is told "well received" may publish for its aircraft. */
  private async grantAtBroker(dockSn: string, evenIfGranted: boolean): Promise<void> {
    const rows = await this.dataSource.query<{ sn: string; granted_at: Date | null }[]>(
      'SELECT sn, granted_at FROM fleet.aircraft WHERE dock_sn = $1 ORDER BY sn',
      [dockSn],
    );
    if (!evenIfGranted && rows.every(({ granted_at }) => granted_at !== null)) return;
    await this.brokerUsers.grantAircraft(
      dockSn,
      rows.map(({ sn }) => sn),
    );
    await this.dataSource.query(
      'UPDATE fleet.aircraft SET granted_at = clock_timestamp() WHERE dock_sn = $1 AND sn = ANY($2::text[])',
      [dockSn, rows.map(({ sn }) => sn)],
    );
  }
}

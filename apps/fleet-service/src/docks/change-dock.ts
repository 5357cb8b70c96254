import { type DockModel, factSubject } from '@aerie/bus-contract';
import { notThere, unknownDock } from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, type Reach, type Tx, inTransaction, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { closeAlarms } from '../alarms/keep-alarms.js';
import { recordMove, yieldClaim } from './aircraft-moves.js';
import { enterSite } from '../sites/site.store.js';
import { BrokerUsers } from './broker/broker-users.js';
import { endOfRetired } from './cut-offs/cut-off.store.js';
import type { DocksOfAll } from './dock.store.js';
import { type DockCredentials, dockExists, hashOf, newCredentials, refuseUnreached } from './register-dock.js';
import type { Topologies } from './topologies.js';

export interface DockChange {
  readonly model?: DockModel | undefined;
  readonly name?: string | undefined;
  /** Null: at none. */
  readonly siteId?: string | null | undefined;
}

/** What a person changes about a registered dock after its registration. */
export class ChangeDock {
  constructor(
    private readonly database: ApiDatabase,
    private readonly docks: Pick<DocksOfAll, 'aircraftOf'>,
    private readonly brokerUsers: BrokerUsers,
    private readonly topologies: Topologies,
  ) {}

  /** Renames a dock, corrects the model that it was registered as, or puts it at a site. The same again changes nothing. */
  async change(reach: Reach, sn: string, { model, name, siteId }: DockChange): Promise<void> {
    refuseUnreached(reach, sn);
    const { organisationId } = reach;
    const changed = await inTransaction(this.database.of(reach), async (tx) => {
      if (siteId != null) await enterSite(tx, organisationId, siteId, sn);
      return tx.run(
        `UPDATE fleet.dock SET model = coalesce($3, model), name = coalesce($4, name), updated_at = clock_timestamp(),
                site_id = CASE WHEN $5 THEN $6::uuid ELSE site_id END
          WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL`,
        [organisationId, sn, model ?? null, name ?? null, siteId !== undefined, siteId ?? null],
      );
    });
    if (changed === 0) throw unknownDock('sn', sn);
  }

  /**
   * Gives a dock that never connected its right serial number, with new credentials. The broker is never asked while a
   * transaction is open: a call that ended in between is simply made again.
   */
  async correctSn(reach: Reach, wrongSn: string, sn: string): Promise<DockCredentials> {
    const { organisationId } = reach;
    const credentials = newCredentials();
    const claimant = await inTransaction(this.database.of(reach), async (tx) => {
      await lockUnheard(tx, organisationId, wrongSn);
      const claimed = await yieldClaim(tx, sn);
      // Its own unfinished row, or a fresh one: nobody's dock is written over.
      const values = [organisationId, wrongSn, sn, hashOf(credentials.bindingCode)];
      const made = await tx.run(
        `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, site_id, binding_code_hash, created_at)
         SELECT $3, organisation_id, model, protocol_generation, name, site_id, $4, created_at FROM fleet.dock
          WHERE organisation_id = $1 AND sn = $2
         ON CONFLICT (sn) DO NOTHING`,
        values,
      );
      const taken =
        made > 0 ||
        (await tx.run(
          `UPDATE fleet.dock d SET model = w.model, protocol_generation = w.protocol_generation, name = w.name,
                  site_id = w.site_id, binding_code_hash = $4
             FROM fleet.dock w
            WHERE w.organisation_id = $1 AND w.sn = $2 AND d.organisation_id = $1 AND d.sn = $3 AND d.provisioned_at IS NULL`,
          values,
        )) > 0;
      if (!taken) throw await dockExists(tx, organisationId, sn);
      return claimed;
    });
    // A dock that claimed this serial number as its aircraft may no longer publish and read under it.
    if (claimant !== null) await this.brokerUsers.grantAircraft(claimant, await this.docks.aircraftOf(claimant));
    await this.brokerUsers.provision(sn, credentials.mqttPassword);
    await this.brokerUsers.remove(wrongSn);
    await inTransaction(this.database.of(reach), async (tx) => {
      await lockUnheard(tx, organisationId, wrongSn);
      await tx.run('UPDATE fleet.aircraft SET dock_sn = $2, granted_at = NULL WHERE dock_sn = $1', [wrongSn, sn]);
      await tx.run(
        `UPDATE fleet.dock d SET provisioned_at = clock_timestamp(), latitude = w.latitude, longitude = w.longitude,
                position_source = w.position_source, position_set_at = w.position_set_at
           FROM fleet.dock w WHERE d.sn = $2 AND w.sn = $1`,
        [wrongSn, sn],
      );
      await tx.run('DELETE FROM fleet.dock WHERE sn = $1', [wrongSn]);
      await writeOutbox(tx, SCHEMA, [
        { subject: factSubject('fleet', organisationId, 'dockSnCorrected'), payload: { sn, formerSn: wrongSn } },
      ]);
    });
    for (const each of [sn, wrongSn]) this.topologies.forget(each);
    return credentials;
  }

  /**
   * Takes a dock out of service: the broker refuses it, its connection ends, its aircraft are free. What it flew stays.
   * The same again changes nothing but the broker, in case that it could not be reached the first time.
   */
  async retire(reach: Reach, sn: string): Promise<void> {
    refuseUnreached(reach, sn);
    const { organisationId } = reach;
    const aircraft = await inTransaction(this.database.of(reach), async (tx) => {
      const dock = await tx.one<{ retired_at: Date | null }>(
        'SELECT retired_at FROM fleet.dock WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL FOR UPDATE',
        [organisationId, sn],
      );
      if (dock === undefined) throw unknownDock('sn', sn);
      if (dock.retired_at !== null) return [];
      await tx.run(
        `UPDATE fleet.dock SET retired_at = clock_timestamp(), updated_at = clock_timestamp(), binding_code_hash = NULL
          WHERE sn = $1`,
        [sn],
      );
      await endOfRetired(tx, sn);
      await closeAlarms(tx, { dockSn: sn, deviceSn: null });
      const freed = await tx.query<{ sn: string }>('DELETE FROM fleet.aircraft WHERE dock_sn = $1 RETURNING sn', [sn]);
      for (const { sn: aircraftSn } of freed) {
        const reason = 'dockRetired';
        await recordMove(tx, { organisationId, aircraftSn, fromDockSn: sn, toDockSn: null, reason });
      }
      await writeOutbox(tx, SCHEMA, [
        { subject: factSubject('fleet', organisationId, 'dockRetired'), payload: { sn } },
      ]);
      return freed.map((each) => each.sn);
    });
    for (const each of [sn, ...aircraft]) this.topologies.forget(each);
    await this.brokerUsers.remove(sn);
  }

  /** Frees an aircraft from its dock. The dock gets it back when its next topology names it. */
  async releaseAircraft(reach: Reach, dockSn: string, aircraftSn: string): Promise<void> {
    refuseUnreached(reach, dockSn);
    const { organisationId } = reach;
    const known = await inTransaction(this.database.of(reach), async (tx) => {
      const dock = await tx.one(
        `SELECT 1 FROM fleet.dock
          WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL AND retired_at IS NULL FOR UPDATE`,
        [organisationId, dockSn],
      );
      if (dock === undefined) throw unknownDock('sn', dockSn);
      const freed = await tx.query('DELETE FROM fleet.aircraft WHERE dock_sn = $1 AND sn = $2 RETURNING sn', [
        dockSn,
        aircraftSn,
      ]);
      if (freed.length === 0) throw unknownAircraft(dockSn, aircraftSn);
      const reason = 'released';
      await recordMove(tx, { organisationId, aircraftSn, fromDockSn: dockSn, toDockSn: null, reason });
      return tx.query<{ sn: string }>('SELECT sn FROM fleet.aircraft WHERE dock_sn = $1 ORDER BY sn', [dockSn]);
    });
    this.topologies.forget(aircraftSn);
    await this.brokerUsers.grantAircraft(
      dockSn,
      known.map(({ sn }) => sn),
    );
  }
}

/** Locks a dock that was never heard. @throws ConflictError once it was. */
async function lockUnheard(tx: Tx, organisationId: string, sn: string): Promise<void> {
  const dock = await tx.one<{ heard: boolean }>(
    `SELECT (topology_at IS NOT NULL OR bound_at IS NOT NULL OR position_source = 'dock'
             OR EXISTS (SELECT 1 FROM fleet.device_property p WHERE p.sn = d.sn)) AS heard
       FROM fleet.dock d WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL AND retired_at IS NULL
        FOR UPDATE`,
    [organisationId, sn],
  );
  if (dock === undefined) throw unknownDock('sn', sn);
  if (dock.heard) throw dockHasConnected(sn);
}

export function dockHasConnected(sn: string): ConflictError {
  const message =
    `${sn} has connected, so this is its serial number; ` +
    `register the other dock with POST /docks, and retire this one with POST /docks/${sn}/retire if it is gone`;
  return new ConflictError('dock_has_connected', `failed to correct the serial number of ${sn}`, {
    fields: [{ field: 'sn', message }],
  });
}

const unknownAircraft = (dockSn: string, aircraftSn: string) =>
  notThere({
    ...{ code: 'unknown_aircraft', noun: `aircraft of dock ${dockSn}`, field: 'aircraftSn', sent: aircraftSn },
    advice: `GET /api/v1/docks/${dockSn}/aircraft lists them`,
  });

import { unknownDock } from '@aerie/http-api';
import { createHash, randomBytes } from 'node:crypto';
import type { DockModel } from '@aerie/bus-contract';
import { factSubject } from '@aerie/bus-contract';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, type Reach, type Tx, inTransaction, reachesDock, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { yieldClaim } from './aircraft-moves.js';
import { enterSite } from '../sites/site.store.js';
import { BrokerUsers } from './broker/broker-users.js';
import { cutOffAgain } from './cut-offs/cut-off.store.js';
import type { DocksOfAll } from './dock.store.js';
import type { Topologies } from './topologies.js';

export interface NewDock {
  readonly sn: string;
  readonly model: DockModel;
  readonly protocolGeneration: string;
  readonly name: string;
  /** Null: at none. */
  readonly siteId: string | null;
}

/** What a dock needs to connect. Shown once: only the broker's hash of the password and a hash of the code are kept. */
export interface DockCredentials {
  readonly mqttPassword: string;
  readonly bindingCode: string;
}

/** Registers docks and gives them their credentials. */
export class RegisterDock {
  constructor(
    private readonly database: ApiDatabase,
    private readonly docks: Pick<DocksOfAll, 'aircraftOf'>,
    private readonly brokerUsers: BrokerUsers,
    private readonly topologies: Topologies,
  ) {}

  /**
   * Registers a dock: its row, then its user at the broker, then the word that it is done. A call that ended between
   * these is simply made again; the broker is never asked while a transaction is open.
   */
  async register(reach: Reach, dock: NewDock): Promise<DockCredentials> {
    const { organisationId } = reach;
    const credentials = newCredentials();
    let claimant: string | null = null;
    await inTransaction(this.database.of(reach), async (tx) => {
      claimant = await yieldClaim(tx, dock.sn);
      if (dock.siteId !== null) await enterSite(tx, organisationId, dock.siteId, dock.sn);
      // A row whose broker user was never made belongs to an unfinished call of the same organisation; a dock that was
      // retired may come back.
      const { sn, model, protocolGeneration, name, siteId } = dock;
      const values = [sn, organisationId, model, protocolGeneration, name, hashOf(credentials.bindingCode), siteId];
      const made = await tx.run(
        `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, binding_code_hash, site_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7::uuid) ON CONFLICT (sn) DO NOTHING`,
        values,
      );
      // A statement of its own: DO UPDATE fails where the row is one of another organisation, which nobody here may see.
      const taken =
        made > 0 ||
        (await tx.run(
          `UPDATE fleet.dock SET model = $3, protocol_generation = $4, name = $5, binding_code_hash = $6, site_id = $7::uuid, bound_at = NULL,
                  retired_at = NULL, topology = NULL, topology_at = NULL, provisioned_at = NULL
            WHERE sn = $1 AND organisation_id = $2 AND (provisioned_at IS NULL OR retired_at IS NOT NULL)`,
          values,
        )) > 0;
      if (!taken) throw await dockExists(tx, organisationId, dock.sn);
    });
    this.topologies.forget(dock.sn);
    // Another dock took this one for its aircraft, and may no longer speak for it.
    if (claimant !== null) await this.regrant(claimant);
    await this.brokerUsers.provision(dock.sn, credentials.mqttPassword);
    await inTransaction(this.database.of(reach), async (tx) => {
      const { sn, model, name } = dock;
      await Promise.all([
        tx.run('UPDATE fleet.dock SET provisioned_at = clock_timestamp() WHERE sn = $1', [sn]),
        writeOutbox(tx, SCHEMA, [
          { subject: factSubject('fleet', organisationId, 'dockRegistered'), payload: { sn, model, name } },
        ]),
      ]);
    });
    return credentials;
  }

  /** New credentials for a dock that lost its own. The old password and binding code stop working. */
  async renew(reach: Reach, sn: string): Promise<DockCredentials> {
    refuseUnreached(reach, sn);
    const { organisationId } = reach;
    const credentials = newCredentials();
    const known = await this.database
      .of(reach)
      .query(
        'SELECT 1 FROM fleet.dock WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL AND retired_at IS NULL',
        [organisationId, sn],
      );
    if (known.length === 0) throw unknownDock('sn', sn);
    await this.brokerUsers.provision(sn, credentials.mqttPassword);
    await inTransaction(this.database.of(reach), async (tx) => {
      await tx.run(
        `UPDATE fleet.dock SET binding_code_hash = $3, updated_at = clock_timestamp()
          WHERE organisation_id = $1 AND sn = $2`,
        [organisationId, sn, hashOf(credentials.bindingCode)],
      );
      // A broker that was set up anew has made the role without its aircraft: the next topology grants them again.
      await tx.run('UPDATE fleet.aircraft SET granted_at = NULL WHERE dock_sn = $1', [sn]);
      await cutOffAgain(tx, sn);
    });
    return credentials;
  }

  private async regrant(dockSn: string): Promise<void> {
    await this.brokerUsers.grantAircraft(dockSn, await this.docks.aircraftOf(dockSn));
  }
}

/** A dock elsewhere is answered as one that is not there. @throws NotFoundError */
export function refuseUnreached(reach: Reach, sn: string): void {
  if (!reachesDock(reach, sn)) throw unknownDock('sn', sn);
}

/** Why a serial number cannot be registered, and what the caller can do about it. */
export async function dockExists(tx: Tx, organisationId: string, sn: string): Promise<ConflictError> {
  const own = await tx.one('SELECT 1 FROM fleet.dock WHERE organisation_id = $1 AND sn = $2', [organisationId, sn]);
  const message =
    own === undefined
      ? `${sn} is registered by another organisation; it has to retire the dock, or the operator of this server has to help`
      : `${sn} is registered already; POST /api/v1/docks/${sn}/credentials makes new credentials`;
  return new ConflictError('dock_exists', `failed to register ${sn}`, { fields: [{ field: 'sn', message }] });
}

export const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();

export const newCredentials = (): DockCredentials => ({
  mqttPassword: randomBytes(32).toString('base64url'),
  // Typed in by hand on a remote controller: 60 bits are enough for a code that works once.
  bindingCode: randomBytes(12).toString('base64url').replace(/[-_]/g, 'x').slice(0, 12),
});

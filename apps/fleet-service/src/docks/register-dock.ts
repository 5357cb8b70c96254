import { unknownDock } from '@aerie/http-api';
import { createHash, randomBytes } from 'node:crypto';
import type { DockModel } from '@aerie/bus-contract';
import { factSubject } from '@aerie/bus-contract';
import { ConflictError } from '@aerie/kernel';
import { inTransaction, writeOutbox } from '@aerie/persistence';
import { DataSource } from 'typeorm';
import { SCHEMA } from '../database.js';
import { BrokerUsers } from './broker/broker-users.js';

export interface NewDock {
  readonly sn: string;
  readonly model: DockModel;
  readonly protocolGeneration: string;
  readonly name: string;
}

/** What a dock needs to connect. Shown once: only the broker's hash of the password and a hash of the code are kept. */
export interface DockCredentials {
  readonly mqttPassword: string;
  readonly bindingCode: string;
}

/** Registers docks and gives them their credentials. */
export class RegisterDock {
  constructor(
    private readonly dataSource: DataSource,
    private readonly brokerUsers: BrokerUsers,
  ) {}

  /**
   * Registers a dock: its row, then its user at the broker, then the word that it is done. A call that ended between
   * these is simply made again; the broker is never asked while a transaction is open.
   */
  async register(organisationId: string, dock: NewDock): Promise<DockCredentials> {
    const credentials = newCredentials();
    await inTransaction(this.dataSource, async (tx) => {
      const taken = await tx.one('SELECT 1 FROM fleet.aircraft WHERE sn = $1', [dock.sn]);
      // A row whose broker user was never made belongs to an unfinished call of the same organisation.
      const reserved = await tx.query(
        `INSERT INTO fleet.dock AS d (sn, organisation_id, model, protocol_generation, name, binding_code_hash)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (sn) DO UPDATE SET model = excluded.model, protocol_generation = excluded.protocol_generation,
           name = excluded.name, binding_code_hash = excluded.binding_code_hash
          WHERE d.organisation_id = excluded.organisation_id AND d.provisioned_at IS NULL
         RETURNING 1`,
        [dock.sn, organisationId, dock.model, dock.protocolGeneration, dock.name, hashOf(credentials.bindingCode)],
      );
      if (reserved.length === 0 || taken !== undefined) {
        const message = 'is registered already; POST /docks/{sn}/credentials makes new credentials';
        throw new ConflictError('dock_exists', `failed to register ${dock.sn}`, { fields: [{ field: 'sn', message }] });
      }
    });
    await this.brokerUsers.provision(dock.sn, credentials.mqttPassword);
    await inTransaction(this.dataSource, async (tx) => {
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

  /** For a dock that was registered as another model than it is. The same again changes nothing. */
  async correctModel(organisationId: string, sn: string, model: NewDock['model']): Promise<void> {
    const [, changed] = await this.dataSource.query<[unknown, number]>(
      `UPDATE fleet.dock SET model = $3, updated_at = clock_timestamp()
        WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL`,
      [organisationId, sn, model],
    );
    if (changed === 0) throw unknownDock('sn', sn);
  }

  /** New credentials for a dock that lost its own. The old password and binding code stop working. */
  async renew(organisationId: string, sn: string): Promise<DockCredentials> {
    const credentials = newCredentials();
    const known = await this.dataSource.query<unknown[]>(
      'SELECT 1 FROM fleet.dock WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL',
      [organisationId, sn],
    );
    if (known.length === 0) throw unknownDock('sn', sn);
    await this.brokerUsers.provision(sn, credentials.mqttPassword);
    await inTransaction(this.dataSource, async (tx) => {
      await tx.run(
        `UPDATE fleet.dock SET binding_code_hash = $3, updated_at = clock_timestamp()
          WHERE organisation_id = $1 AND sn = $2`,
        [organisationId, sn, hashOf(credentials.bindingCode)],
      );
      // A broker that was set up anew has made the role without its aircraft: the next topology grants them again.
      await tx.run('UPDATE fleet.aircraft SET granted_at = NULL WHERE dock_sn = $1', [sn]);
    });
    return credentials;
  }
}

export const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();

export const newCredentials = (): DockCredentials => ({
  mqttPassword: randomBytes(32).toString('base64url'),
  // Typed in by hand on a remote controller: 60 bits are enough for a code that works once.
  bindingCode: randomBytes(12).toString('base64url').replace(/[-_]/g, 'x').slice(0, 12),
});

import { createHash, randomBytes } from 'node:crypto';
import type { DockModel } from '@aerie/bus-contract';
import { factSubject } from '@aerie/bus-contract';
import { ConflictError, NotFoundError } from '@aerie/kernel';
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

  async register(organisationId: string, dock: NewDock): Promise<DockCredentials> {
    const credentials = newCredentials();
    await inTransaction(this.dataSource, async (tx) => {
      const inserted = await tx.query(
        `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, binding_code_hash)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1`,
        [dock.sn, organisationId, dock.model, dock.protocolGeneration, dock.name, hashOf(credentials.bindingCode)],
      );
      const aircraft = await tx.one('SELECT 1 FROM fleet.aircraft WHERE sn = $1', [dock.sn]);
      if (inserted.length === 0 || aircraft !== undefined) {
        const message = 'is registered already; POST /docks/{sn}/credentials makes new credentials';
        throw new ConflictError('dock_exists', `failed to register ${dock.sn}`, { fields: [{ field: 'sn', message }] });
      }
      const { sn, model, name } = dock;
      await writeOutbox(tx, SCHEMA, [
        { subject: factSubject('fleet', organisationId, 'dockRegistered'), payload: { sn, model, name } },
      ]);
      // Last, and inside the transaction: without the broker there is no row, and a repeat finishes a half-made user.
      await this.brokerUsers.provision(dock.sn, credentials.mqttPassword);
    });
    return credentials;
  }

  /** New credentials for a dock that lost its own. The old password and binding code stop working. */
  async renew(organisationId: string, sn: string): Promise<DockCredentials> {
    const credentials = newCredentials();
    await inTransaction(this.dataSource, async (tx) => {
      const touched = await tx.run(
        `UPDATE fleet.dock SET binding_code_hash = $3, updated_at = clock_timestamp()
          WHERE organisation_id = $1 AND sn = $2`,
        [organisationId, sn, hashOf(credentials.bindingCode)],
      );
      if (touched === 0) throw unknownDock(sn);
      await this.brokerUsers.provision(sn, credentials.mqttPassword);
    });
    return credentials;
  }
}

export function unknownDock(sn: string): NotFoundError {
  return new NotFoundError('unknown_dock', `there is no dock ${sn}`, {
    fields: [{ field: 'sn', message: 'is no registered dock' }],
  });
}

export const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();

const newCredentials = (): DockCredentials => ({
  mqttPassword: randomBytes(32).toString('base64url'),
  // Typed in by hand on a remote controller: 60 bits are enough for a code that works once.
  bindingCode: randomBytes(12).toString('base64url').replace(/[-_]/g, 'x').slice(0, 12),
});

import { type Principal, callerName } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { type ApiDatabase, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { Policy, PolicyStore } from './policy.store.js';

export class ChangePolicy {
  constructor(
    private readonly database: ApiDatabase,
    private readonly policies: PolicyStore,
  ) {}

  execute(caller: Principal, decision: Omit<Policy, 'version'>, version: ExpectedVersion): Promise<Policy> {
    return inTransaction(this.database.of(caller.organisationId), async (tx) => {
      const before = await this.policies.lock(tx, caller.organisationId);
      checkVersion(version, before.version);
      await recordChanges(tx, SCHEMA, [{ caller }]);
      return this.policies.replace(tx, caller.organisationId, decision, callerName(caller));
    });
  }
}

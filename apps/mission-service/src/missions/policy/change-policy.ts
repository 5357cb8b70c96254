import type { Principal } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, recordChanges } from '@aerie/http-api';
import { type ApiDatabase, inTransaction } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { callerIdOf } from '../caller-id.js';
import type { Policy, PolicyStore } from '../store/policy.store.js';

export class ChangePolicy {
  constructor(
    private readonly database: ApiDatabase,
    private readonly policies: PolicyStore,
  ) {}

  async execute(caller: Principal, policy: Omit<Policy, 'version'>, version: ExpectedVersion): Promise<Policy> {
    const { organisationId } = caller;
    const changed = await inTransaction(this.database.of(organisationId), async (tx) => {
      const replaced = await this.policies.replace(tx, organisationId, policy, version, callerIdOf(caller));
      if (replaced !== null) await recordChanges(tx, SCHEMA, [{ caller }]);
      return replaced;
    });
    if (changed !== null) return changed;
    checkVersion(version, await this.policies.versionOf(organisationId));
    throw new Error('a policy was not replaced, although its version is the expected one');
  }
}

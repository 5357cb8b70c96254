import type { Clock } from '@aerie/kernel';
import { UnavailableError } from '@aerie/kernel';
import type { Outbound } from '../storages/outbound.js';
import type { StorageAccess, Storages } from '../storages/storage-access.js';
import type { DoctorReport } from './doctor.schema.js';
import { examine } from './examine.js';

/** For the deployment itself, which is no organisation's. */
export const NO_ORGANISATION = '00000000-0000-0000-0000-000000000000';
/** An examination uploads five megabytes; a few at once are enough for people. */
const AT_ONCE = 4;

export interface RunDoctorParts {
  readonly storages: Storages;
  readonly outbound: Outbound;
  readonly trusted: Outbound;
  readonly browserOrigin: string | null;
  readonly clock: Clock;
}

/** Examines a storage on demand. */
export class RunDoctor {
  private running = 0;

  constructor(private readonly parts: RunDoctorParts) {}

  /** That of an organisation. @throws UnavailableError when others are being examined */
  async execute(organisationId: string): Promise<DoctorReport> {
    return this.examine(organisationId, await this.parts.storages.of(organisationId));
  }

  /** That of the deployment. */
  ofDeployment(): Promise<DoctorReport> {
    return this.examine(NO_ORGANISATION, this.parts.storages.deployment);
  }

  private async examine(organisationId: string, access: StorageAccess): Promise<DoctorReport> {
    if (this.running >= AT_ONCE) throw new UnavailableError('doctor_busy', 'the doctor has others to see, try again');
    this.running += 1;
    const { outbound, trusted, browserOrigin, clock } = this.parts;
    const { storage, provider, chosenBy } = access;
    const agents = (chosenBy === 'organisation' ? outbound : trusted).agents();
    const startedAt = new Date(clock.nowMs()).toISOString();
    try {
      const steps = await examine({ storage, provider, agents, organisationId, browserOrigin, clock });
      return { healthy: steps.every(({ verdict }) => verdict !== 'failed'), chosenBy, startedAt, steps: [...steps] };
    } finally {
      this.running -= 1;
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    }
  }
}

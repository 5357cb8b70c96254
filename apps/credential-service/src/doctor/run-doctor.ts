import type { Clock } from '@aerie/kernel';
import { UnavailableError } from '@aerie/kernel';
import type { Outbound } from '@aerie/outbound';
import type { StorageAccess, Storages } from '../storages/storage-access.js';
import type { Storage } from '../storages/storage.js';
import type { DoctorReport } from './doctor.schema.js';
import { examine } from './examine.js';

/** For the deployment itself, which is no organisation's. */
export const NO_ORGANISATION = '00000000-0000-0000-0000-000000000000';
/** An examination uploads five megabytes, and takes minutes where a storage is silent; one for each organisation. */
const AT_ONCE = 16;

export interface RunDoctorParts {
  readonly storages: Storages;
  readonly outbound: Outbound;
  readonly trusted: Outbound;
  readonly browserOrigin: string | null;
  readonly clock: Clock;
}

/** Examines a storage on demand. */
export class RunDoctor {
  private readonly running = new Set<string>();

  constructor(private readonly parts: RunDoctorParts) {}

  /** That of an organisation. @throws UnavailableError when others are being examined */
  async execute(organisationId: string): Promise<DoctorReport> {
    const access = await this.parts.storages.of(organisationId);
    const report = await this.examine(organisationId, access);
    return access.chosenBy === 'organisation' ? report : withoutOperators(report, access.storage);
  }

  /** That of the deployment. */
  ofDeployment(): Promise<DoctorReport> {
    return this.examine(NO_ORGANISATION, this.parts.storages.deployment);
  }

  private async examine(organisationId: string, access: StorageAccess): Promise<DoctorReport> {
    if (this.running.has(organisationId) || this.running.size >= AT_ONCE) {
      throw new UnavailableError('doctor_busy', 'the doctor is still at it, or has others to see, try again');
    }
    this.running.add(organisationId);
    const { outbound, trusted, browserOrigin, clock } = this.parts;
    const { storage, provider, chosenBy } = access;
    const agents = (chosenBy === 'organisation' ? outbound : trusted).agents();
    const startedAt = new Date(clock.nowMs()).toISOString();
    try {
      const steps = await examine({ storage, provider, agents, organisationId, browserOrigin, clock });
      return { healthy: steps.every(({ verdict }) => verdict !== 'failed'), chosenBy, startedAt, steps: [...steps] };
    } finally {
      this.running.delete(organisationId);
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    }
  }
}

/** Where the operator of the deployment has put things is not for its organisations; docks know their own endpoint. */
function withoutOperators(report: DoctorReport, storage: Storage): DoctorReport {
  const { dockEndpoint, serviceEndpoint, stsEndpoint, roleArn } = storage;
  const hidden = [
    ...[serviceEndpoint, stsEndpoint].flatMap((url) => (url === null || url === dockEndpoint ? [] : [url])),
    roleArn,
  ];
  const plain = (text: string): string => hidden.reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
  const steps = report.steps.map((step) => ({
    ...step,
    found: plain(step.found),
    change: step.change === null ? null : plain(step.change),
  }));
  return { ...report, steps };
}

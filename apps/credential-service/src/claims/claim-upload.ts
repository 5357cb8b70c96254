import type { Logger, Metrics } from '@aerie/observability';
import { type Claimant, type ClaimVerdict, claimVerdictOf } from './claim-verdict.js';
import type { ClaimStore } from './claim.store.js';

export interface ClaimUploadParts {
  readonly store: Pick<ClaimStore, 'record'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** One uploaded file, in the dock's own words. */
export interface UploadedObject {
  readonly objectKey: string;
  readonly flightId: string | undefined;
  /** The whole message, as it was normalised. */
  readonly reported: unknown;
}

/** What may be the id of a flight; anything else names none. */
const FLIGHT_ID = /^.{1,128}$/su;
/** Of a key, so much is logged. */
const LOGGED_CHARACTERS = 200;

/**
 * Takes down that a dock says it has uploaded a file. Its keys reach no further than its own folder, so a claim to
 * anything else is a lie or a mix-up; it is kept, and a person is told.
 */
export class ClaimUpload {
  private readonly foreignClaims;

  constructor(private readonly parts: ClaimUploadParts) {
    this.foreignClaims = parts.metrics.counter(
      'credential_foreign_claims_total',
      'Uploads that docks claimed outside of their own folder.',
    );
  }

  /** Resolved: the claim is committed, and the dock may be answered. Safe to repeat. */
  async execute(claimant: Claimant, { objectKey, flightId, reported }: UploadedObject): Promise<ClaimVerdict> {
    const { organisationId, dockSn } = claimant;
    const verdict = claimVerdictOf(objectKey, claimant);
    const flight = flightId !== undefined && FLIGHT_ID.test(flightId) ? flightId : null;
    await this.parts.store.record({ organisationId, dockSn, objectKey, flightId: flight, verdict, reported });
    if (verdict === 'outside') {
      this.foreignClaims.inc();
      const logged = objectKey.slice(0, LOGGED_CHARACTERS);
      this.parts.logger.warn({ sn: dockSn, objectKey: logged }, 'a dock claims an upload outside of its own folder');
    }
    return verdict;
  }
}

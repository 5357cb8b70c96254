import type { DataSource } from 'typeorm';
import type { Claimant, ClaimVerdict } from './claim-verdict.js';

export interface Claim extends Claimant {
  readonly objectKey: string;
  /** The flight that the dock names; null of a flight by hand. */
  readonly flightId: string | null;
  readonly verdict: ClaimVerdict;
  /** All that the dock said of the file, for those who will look at its media. */
  readonly reported: unknown;
}

/** As long as the ledger keeps what was given out. */
const KEPT_DAYS = 400;
const PRUNED_AT_ONCE = 5_000;

/** What docks said that they have uploaded, each file once. */
export class ClaimStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Resolved: it is committed. What the dock said of this file first stays. */
  async record({ organisationId, dockSn, objectKey, flightId, verdict, reported }: Claim): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO credential.upload_claim (organisation_id, dock_sn, object_key, flight_id, verdict, reported)
       VALUES ($1, $2, $3, $4, $5, $6::jsonb)
       ON CONFLICT (dock_sn, object_key) DO NOTHING`,
      [organisationId, dockSn, objectKey, flightId, verdict, JSON.stringify(reported)],
    );
  }

  /** Forgets some of what is too old. */
  async prune(): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM credential.upload_claim WHERE (dock_sn, object_key) IN (
         SELECT dock_sn, object_key FROM credential.upload_claim
          WHERE claimed_at < now() - make_interval(days => $1) LIMIT $2)`,
      [KEPT_DAYS, PRUNED_AT_ONCE],
    );
  }
}

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
}

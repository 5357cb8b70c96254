import type { DatabaseOf } from '@aerie/persistence';
import type { Claimant, ClaimVerdict } from './claim-verdict.js';
import { packReport, unpackReport } from './packed-report.js';

export interface Claim extends Claimant {
  readonly objectKey: string;
  /** The flight that the dock names; null of a flight by hand. */
  readonly flightId: string | null;
  readonly verdict: ClaimVerdict;
  /** All that the dock said of the file, for those who will look at its media. */
  readonly reported: unknown;
}

interface ReportRow {
  readonly flight_id: string | null;
  readonly reported: unknown;
  readonly packed: Buffer | null;
}

/** What docks said that they have uploaded, each file once. */
export class ClaimStore {
  constructor(private readonly dataSource: DatabaseOf<'engine'>) {}

  /** Resolved: it is committed. What the dock said of this file first stays. */
  async record({ organisationId, dockSn, objectKey, flightId, verdict, reported }: Claim): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO credential.upload_claim (organisation_id, dock_sn, object_key, flight_id, verdict, reported, packed)
       VALUES ($1, $2, $3, $4, $5, '{}', $6)
       ON CONFLICT (dock_sn, object_key) DO NOTHING`,
      [organisationId, dockSn, objectKey, flightId, verdict, packReport({ objectKey, flightId }, reported)],
    );
  }

  /** All that the dock said of a file; undefined when it said nothing. */
  async reportOf(dockSn: string, objectKey: string): Promise<unknown> {
    const [row] = await this.dataSource.query<ReportRow[]>(
      'SELECT flight_id, reported, packed FROM credential.upload_claim WHERE dock_sn = $1 AND object_key = $2',
      [dockSn, objectKey],
    );
    // The release before writes it plainly.
    if (row === undefined || row.packed === null) return row?.reported;
    return unpackReport({ objectKey, flightId: row.flight_id }, row.packed);
  }
}

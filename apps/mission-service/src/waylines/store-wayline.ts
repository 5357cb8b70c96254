import { createHash, randomUUID } from 'node:crypto';
import type { Reach } from '@aerie/persistence';
import { type KmzReader, type Warning, routeGeoJson } from './kmz/index.js';
import { NearDocks } from './near-docks.js';
import { ObjectStorage } from './object-storage.js';
import { WaylineStore, type WaylineRow } from './wayline.store.js';

const KMZ_TYPE = 'application/vnd.google-earth.kmz';
const MAX_NAME_LENGTH = 100;

export interface StoredWayline {
  readonly row: WaylineRow;
  readonly isNew: boolean;
  /** About the docks as they are now; not stored, because docks move and the wayline never changes. */
  readonly nowWarnings: readonly Warning[];
}

/** Takes in a route: checked, then stored under its hash, then recorded. A row without its object never exists. */
export class StoreWayline {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly waylines: WaylineStore,
    private readonly reader: KmzReader,
    private readonly nearDocks: NearDocks,
  ) {}

  async execute(reach: Reach, bytes: Buffer, name: string): Promise<StoredWayline> {
    const { organisationId } = reach;
    const wayline = await this.reader.read(bytes);
    const nowWarnings = await this.nearDocks.warningsOf(reach, wayline.routes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const objectKey = `${organisationId}/waylines/${sha256}.kmz`;
    await this.storage.put(objectKey, bytes, KMZ_TYPE);
    const stored = await this.waylines.add({
      id: randomUUID(),
      organisation_id: organisationId,
      name: name.replace(/\.kmz$/i, '').slice(0, MAX_NAME_LENGTH) || 'wayline',
      sha256,
      md5: createHash('md5').update(bytes).digest('hex'),
      size_bytes: bytes.byteLength,
      object_key: objectKey,
      exit_on_rc_lost: wayline.missionConfig.exitOnRcLost === 'goContinue' ? 'continue' : 'executeLostAction',
      aircraft_model_key: wayline.missionConfig.droneModelKey,
      names_sub_type: wayline.missionConfig.namesDroneSubType,
      payload_model_keys: wayline.missionConfig.payloadModelKeys,
      planned_duration_ms: Math.round(wayline.summary.plannedDurationSeconds * 1_000),
      summary: wayline.summary,
      warnings: wayline.warnings,
      route: routeGeoJson(wayline),
    });
    return { ...stored, nowWarnings };
  }
}

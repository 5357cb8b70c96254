import { timingSafeEqual } from 'node:crypto';
import type {
  AirportBindStatus,
  AirportBindStatusReply,
  AirportOrganizationBind,
  AirportOrganizationBindReply,
  AirportOrganizationGet,
  AirportOrganizationGetReply,
  BindStatus,
  ConfigReply,
} from '@aerie/dji-protocol';
import { isSerialNumber } from '@aerie/kernel';
import type { DatabaseOf } from '@aerie/persistence';
import type { Config } from '../../config.js';
import { hashOf } from '../register-dock.js';
import { AIRCRAFT_DOMAIN, DOCK_DOMAIN, readModelKey } from './model-keys.js';

/** Organisation or code are not right. [Cloud API, airport_organization_bind: the number of its example] */
const BIND_REFUSED = 210_231;

interface DockBinding {
  readonly organisation_id: string;
  readonly organisation_name: string;
  readonly name: string;
  readonly binding_code_hash: Buffer | null;
  readonly bound_at: Date | null;
}

/** What a dock asks while it comes online. Unanswered, it would not go on. */
export class AnswerRequests {
  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly config_: Config,
  ) {}

  config(): ConfigReply {
    const config = this.config_;
    return {
      ntp_server_host: config.FLEET_NTP_HOST,
      ntp_server_port: config.FLEET_NTP_PORT,
      app_id: config.FLEET_DJI_APP_ID,
      app_key: config.FLEET_DJI_APP_KEY,
      app_license: config.FLEET_DJI_APP_LICENSE,
    };
  }

  async bindStatus(dockSn: string, { devices }: AirportBindStatus): Promise<AirportBindStatusReply> {
    const dock = await this.binding(dockSn);
    const own = new Set([dockSn, ...(await this.aircraftOf(dockSn))]);
    const bind_status = devices.map(({ sn }): BindStatus => {
      // A dock learns about itself and its aircraft, and about nobody else.
      const bound = dock !== undefined && dock.bound_at !== null && own.has(sn);
      return {
        sn,
        is_device_bind_organization: bound,
        organization_id: bound ? dock.organisation_id : '',
        organization_name: bound ? dock.organisation_name : '',
        device_callsign: bound ? dock.name : '',
      };
    });
    return { result: 0, output: { bind_status } };
  }

  async organizationGet(dockSn: string, request: AirportOrganizationGet): Promise<AirportOrganizationGetReply> {
    const dock = await this.binding(dockSn);
    if (dock === undefined || !isRightCode(dock, request.device_binding_code, request.organization_id)) {
      return { result: BIND_REFUSED };
    }
    return { result: 0, output: { organization_name: dock.organisation_name } };
  }

  async organizationBind(
    dockSn: string,
    { bind_devices }: AirportOrganizationBind,
  ): Promise<AirportOrganizationBindReply> {
    const dock = await this.binding(dockSn);
    const own = bind_devices.find(({ sn }) => sn === dockSn);
    // A repeat of a bind that was answered, but whose answer was lost, succeeds again.
    const done = dock !== undefined && dock.bound_at !== null && own?.organization_id === dock.organisation_id;
    const right =
      dock !== undefined && own !== undefined && isRightCode(dock, own.device_binding_code, own.organization_id);
    if (right && !done) {
      // The code has done its work: it cannot be used again, and a copy of this message is worth nothing.
      await this.dataSource.query(
        `UPDATE fleet.dock SET bound_at = clock_timestamp(), binding_code_hash = NULL, updated_at = clock_timestamp()
          WHERE sn = $1`,
        [dockSn],
      );
    }
    if (right || done) await this.keepModels(dockSn, bind_devices);
    const err_code = right || done ? 0 : BIND_REFUSED;
    return { result: 0, output: { err_infos: bind_devices.map(({ sn }) => ({ sn, err_code })) } };
  }

  /** A dock binds itself and its aircraft before its first topology. A key that it leaves out stays as it was. */
  private async keepModels(dockSn: string, devices: AirportOrganizationBind['bind_devices']): Promise<void> {
    const dock = devices.find(({ sn }) => sn === dockSn);
    const aircraft = devices.find(({ sn, device_model_key }) => {
      return sn !== dockSn && isSerialNumber(sn) && readModelKey(device_model_key, AIRCRAFT_DOMAIN) !== null;
    });
    await this.dataSource.query(
      `UPDATE fleet.dock
          SET bound_model_key = coalesce($2, bound_model_key),
              bound_aircraft_sn = coalesce($3, bound_aircraft_sn),
              bound_aircraft_model_key = coalesce($4, bound_aircraft_model_key)
        WHERE sn = $1`,
      [
        dockSn,
        readModelKey(dock?.device_model_key, DOCK_DOMAIN),
        aircraft?.sn ?? null,
        readModelKey(aircraft?.device_model_key, AIRCRAFT_DOMAIN),
      ],
    );
  }

  private async binding(dockSn: string): Promise<DockBinding | undefined> {
    const rows = await this.dataSource.query<DockBinding[]>(
      `SELECT d.organisation_id, o.name AS organisation_name, d.name, d.binding_code_hash, d.bound_at
         FROM fleet.dock d JOIN fleet.organisation o ON o.id = d.organisation_id WHERE d.sn = $1`,
      [dockSn],
    );
    return rows[0];
  }

  private async aircraftOf(dockSn: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ sn: string }[]>('SELECT sn FROM fleet.aircraft WHERE dock_sn = $1', [
      dockSn,
    ]);
    return rows.map(({ sn }) => sn);
  }
}

function isRightCode(dock: DockBinding, code: string, organisationId: string): boolean {
  if (dock.binding_code_hash === null || organisationId !== dock.organisation_id) return false;
  return timingSafeEqual(dock.binding_code_hash, hashOf(code));
}

import type { DockContext } from './context.js';
import type { Inquiries } from './inquiries.js';
import { aircraftModels, dockModels } from './models.js';
import { arrayOf, type Json, numberOf, objectOf } from './wire.js';

/** How the dock introduces itself after every connect, in the order of the vendor's diagram. */
export class Registration {
  constructor(
    private readonly context: DockContext,
    private readonly inquiries: Inquiries,
    /** False once the connection this registration runs on is gone. */
    private readonly isCurrent: (session: number) => boolean,
  ) {}

  /** True when the dock is registered as far as the cloud let it, false when the connection went meanwhile. */
  async run(session: number): Promise<boolean> {
    await this.inquiries.ask({ method: 'config', data: { config_type: 'json', config_scope: 'product' } });
    if (!this.isCurrent(session)) return false;
    await this.bind(session);
    if (!this.isCurrent(session)) return false;
    const answer = await this.announce(true);
    if (!this.isCurrent(session)) return false;
    this.context.journal.note('registered', { topologyAnswered: answer !== undefined });
    // A cloud that was silent so far may wake up: telemetry flows, and the topology is said until somebody heard it.
    if (answer === undefined) void this.announceUntilHeard(session);
    return true;
  }

  /** Tells the cloud which aircraft lives here; without it the aircraft counts as offline. */
  announce(withAircraft: boolean): Promise<Json | undefined> {
    return this.inquiries.ask({ method: 'update_topo', over: 'status', data: this.topology(withAircraft) });
  }

  private async announceUntilHeard(session: number): Promise<void> {
    while (this.isCurrent(session)) if ((await this.announce(true)) !== undefined) return;
  }

  private async bind(session: number): Promise<void> {
    const { sn, aircraftSn, bindingCode, organisationId = '' } = this.context.settings;
    const status = await this.inquiries.ask({
      method: 'airport_bind_status',
      data: { devices: [{ sn }, { sn: aircraftSn }] },
    });
    // Without an answer the dock cannot know, and asking to be bound again does no harm.
    if (isBound(status, sn) || bindingCode === undefined || !this.isCurrent(session)) return;
    await this.inquiries.ask({
      method: 'airport_organization_get',
      data: { device_binding_code: bindingCode, organization_id: organisationId },
    });
    if (!this.isCurrent(session)) return;
    const bound = await this.inquiries.ask({
      method: 'airport_organization_bind',
      data: { bind_devices: this.devicesToBind(bindingCode, organisationId) },
    });
    const code = bound === undefined ? undefined : bindError(bound, sn);
    if (code !== undefined && code !== 0) {
      this.context.journal.note('refused', { method: 'airport_organization_bind', result: code });
    }
  }

  private devicesToBind(bindingCode: string, organisationId: string): Json[] {
    const { sn, aircraftSn, callsign, model, aircraft } = this.context.settings;
    const dock = dockModels[model];
    const drone = aircraftModels[aircraft];
    const common = { device_binding_code: bindingCode, organization_id: organisationId };
    return [
      { ...common, device_callsign: callsign, sn, device_model_key: `3-${dock.type}-${dock.subType}` },
      {
        ...common,
        device_callsign: `${callsign} aircraft`,
        sn: aircraftSn,
        device_model_key: `0-${drone.type}-${drone.subType}`,
      },
    ];
  }

  private topology(withAircraft: boolean): Json {
    const { model, aircraft, aircraftSn, dialect } = this.context.settings;
    const dock = dockModels[model];
    const drone = aircraftModels[aircraft];
    // [Cloud API 1.3.0] `version` is a number, and no device says its domain.
    const old = dialect === 'seed';
    const version = old ? { version: 1 } : { thing_version: '1.3.0' };
    return {
      ...(old ? {} : { domain: '3' }),
      type: dock.type,
      sub_type: dock.subType,
      device_secret: '',
      nonce: '',
      ...version,
      sub_devices: withAircraft
        ? [
            {
              sn: aircraftSn,
              ...(old ? {} : { domain: '0' }),
              type: drone.type,
              sub_type: drone.subType,
              index: 'A',
              device_secret: '',
              nonce: '',
              ...version,
            },
          ]
        : [],
    };
  }
}

/** Older clouds leave the `output` level out. */
function outputOf(data: Json): Json {
  return 'output' in data ? objectOf(data['output']) : data;
}

function isBound(answer: Json | undefined, sn: string): boolean {
  if (answer === undefined) return false;
  return arrayOf(outputOf(answer)['bind_status'])
    .map(objectOf)
    .some((device) => device['sn'] === sn && device['is_device_bind_organization'] === true);
}

function bindError(answer: Json, sn: string): number {
  const own = arrayOf(outputOf(answer)['err_infos'])
    .map(objectOf)
    .find((device) => device['sn'] === sn);
  return numberOf(own?.['err_code']) ?? numberOf(answer['result']) ?? 0;
}

import type { DockRecord } from '@aerie/bus-contract';
import type { Mission, MissionKind, Timing } from '@aerie/mission-core';
import type { Positioning, RcLost, SimulatedPlace, WaylineModels } from '../store/mission.row.js';
import type { StoredBreakPoint } from '../dji/dock-profiles.js';

/** What a caller asks for, checked on its own. */
export interface NewMission {
  readonly dockSn: string;
  readonly waylineId: string;
  readonly kind: MissionKind;
  readonly executeAtMs: number | null;
  /** Conditional missions: when the dock may start by itself. Both ends are exclusive. */
  readonly window: { readonly fromMs: number; readonly untilMs: number; readonly batteryAbovePercent: number } | null;
  readonly rthAltitudeMeters: number;
  readonly exitOnRcLost: RcLost | null;
  readonly positioning: Positioning;
  readonly name: string | null;
  readonly simulate: SimulatedPlace | null;
  readonly storageNeededMegabytes: number | null;
  readonly flightAreaCheck: boolean;
  /** Rules of time that differ from the service's own. */
  readonly timing: Partial<Timing>;
}

/** Where a mission comes from that goes on with another one. */
export interface Origin {
  readonly missionId: string;
  readonly breakPoint: StoredBreakPoint;
  /** How often in a row nobody but the policy resumed it. */
  readonly autoResumeCount: number;
}

export interface WaylineFacts extends WaylineModels {
  readonly id: string;
  readonly name: string;
  readonly exit_on_rc_lost: RcLost;
  readonly planned_duration_ms: number;
}

/** A mission that fits its dock and its wayline, and may be written down. */
export interface PlannedMission {
  readonly id: string;
  readonly organisationId: string;
  readonly by: string;
  readonly dock: Pick<DockRecord, 'sn' | 'model' | 'protocolGeneration'>;
  /** What fleet-service has recorded of the dock, where it was asked. */
  readonly record?: DockRecord;
  readonly wayline: WaylineFacts;
  readonly input: NewMission;
  readonly plan: Mission;
  readonly timing: Timing;
  readonly origin: Origin | null;
}

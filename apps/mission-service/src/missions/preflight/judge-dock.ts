import type { DockRecord, DockStateView } from '@aerie/bus-contract';
import {
  type DockFacts,
  type MissionKind,
  type PreflightPolicy,
  type PreflightResult,
  type Stage,
  preflight,
} from '@aerie/mission-core';
import type { WayToRoute } from './way-to-route.js';
import type { UnresolvedMission } from '../store/flight-critical.js';
import type { Positioning, SimulatedPlace, WaylineModels } from '../store/mission.row.js';

/** What preflight asks of a mission, as it lies in the table or as it is about to. */
export interface FlightWish extends WaylineModels {
  /** As the dock reports it, else as it is registered. */
  readonly model: DockRecord['model'];
  readonly kind: MissionKind;
  readonly simulate: SimulatedPlace | null;
  readonly positioning: Positioning;
  readonly planned_duration_ms: number;
  readonly storage_needed_megabytes: number | null;
  readonly auto_resume_count: number;
}

export interface Surroundings {
  /** What fleet-service knows of the dock; undefined: nobody could say anything. */
  readonly view: DockStateView | undefined;
  /** What fleet-service has recorded of it; undefined: nobody could say anything. */
  readonly record: Pick<DockRecord, 'model' | 'reportedModel' | 'aircraftModelKey'> | undefined;
  /** How long ago this service itself heard the dock. */
  readonly heardAgoMs: number | null;
  /** The mission of the dock whose outcome is unknown. */
  readonly blockedBy: UnresolvedMission | null;
  readonly exportsLogs: boolean;
  /** fleet-service has cut the dock off at the broker, or may do so any moment. */
  readonly cutOff: boolean;
  /** Whether what keeps the dock busy is getting ready for this mission. */
  readonly getsReadyForThis: boolean;
  /** Null: the position of the dock is unknown. */
  readonly way: WayToRoute | null;
}

/** Go or no-go for one mission on what is known of its dock now. */
export function judgeDock(
  stage: Stage,
  mission: FlightWish,
  { view, record, heardAgoMs, blockedBy, exportsLogs, cutOff, getsReadyForThis, way }: Surroundings,
  policy: PreflightPolicy,
): PreflightResult {
  return preflight(
    {
      stage,
      // What a person starts by hand, a person has looked at.
      automatic: mission.kind !== 'immediate' || mission.auto_resume_count > 0,
      simulated: mission.simulate !== null,
      positioning: mission.positioning,
      // The dock may have been moved, or its position entered, since the mission was planned.
      plannedDurationMs: Math.max(mission.planned_duration_ms, mission.simulate === null ? (way?.durationMs ?? 0) : 0),
      storageNeededMegabytes: mission.storage_needed_megabytes,
      dock: factsOf(view, heardAgoMs),
      blockedBy: blockedBy?.id ?? null,
      blockedBySeenOver: blockedBy?.seenOver ?? false,
      exportsLogs,
      cutOff,
      getsReadyForThis,
      distances: way?.distances ?? null,
      models: {
        route: {
          aircraftKey: mission.aircraft_model_key,
          namesSubType: mission.names_sub_type,
          payloadKeys: mission.payload_model_keys,
        },
        dockModel: mission.model,
        registeredModel: record?.model ?? null,
        reportedModel: record?.reportedModel ?? null,
        aircraftKey: record?.aircraftModelKey ?? null,
      },
    },
    policy,
  );
}

function factsOf(view: DockStateView | undefined, heardAgoMs: number | null): DockFacts | null {
  const seen = [view?.seenAgoMs ?? null, heardAgoMs].filter((agoMs) => agoMs !== null);
  if (view === undefined && seen.length === 0) return null;
  return {
    seenAgoMs: seen.length === 0 ? null : Math.min(...seen),
    inSightForMs: view?.backAgoMs ?? null,
    clockSkewMs: view?.clockSkewMs ?? null,
    properties: view?.properties ?? {},
  };
}

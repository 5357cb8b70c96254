/** Docks by model, as they are registered. */
export type DockModelName = 'dock1' | 'dock2' | 'dock3';

interface AircraftModel {
  readonly name: string;
  /** `payloadEnumValue` of the built-in camera. Null: the camera is exchangeable. */
  readonly camera: number | null;
}

/**
 * The aircraft that the protocol numbers, by `domain-type-sub_type`. [Cloud API, product support; WPML, droneInfo and
 * payloadInfo]
 */
const AIRCRAFT: Readonly<Record<string, AircraftModel>> = {
  '0-60-0': { name: 'Matrice 300 RTK', camera: null },
  '0-67-0': { name: 'Matrice 30', camera: 52 },
  '0-67-1': { name: 'Matrice 30T', camera: 53 },
  '0-77-0': { name: 'Mavic 3E', camera: 66 },
  '0-77-1': { name: 'Mavic 3T', camera: 67 },
  '0-77-2': { name: 'Mavic 3M', camera: 68 },
  '0-89-0': { name: 'Matrice 350 RTK', camera: null },
  '0-91-0': { name: 'Matrice 3D', camera: 80 },
  '0-91-1': { name: 'Matrice 3TD', camera: 81 },
  '0-99-0': { name: 'Matrice 4E', camera: 88 },
  '0-99-1': { name: 'Matrice 4T', camera: 89 },
  '0-100-0': { name: 'Matrice 4D', camera: 98 },
  '0-100-1': { name: 'Matrice 4TD', camera: 99 },
};

/** The aircraft that each dock model can hold. [Cloud API, product support] */
const HELD_BY: Readonly<Record<DockModelName, readonly string[]>> = {
  dock1: ['0-67-0', '0-67-1'],
  dock2: ['0-91-0', '0-91-1'],
  dock3: ['0-100-0', '0-100-1'],
};

/** What a route file says of the aircraft that it was made for. */
export interface RouteModels {
  /** `0-<type>-<sub type>`. */
  readonly aircraftKey: string;
  /** False: the file leaves the subtype out, so it counts for each variant of the type. */
  readonly namesSubType: boolean;
  /** `1-<type>-<sub type>` each. Null: not known of a file that an earlier release stored. */
  readonly payloadKeys: readonly string[] | null;
}

/** How a route's models compare with the aircraft of a dock. Texts are for people. */
export type AircraftComparison =
  | { readonly kind: 'fits' | 'differs'; readonly aircraft: string; readonly route: string }
  /** Not enough is known to compare. */
  | { readonly kind: 'unknown'; readonly route: string; readonly because: string };

/**
 * Compares a route with the aircraft that the dock reported, or with what a dock of its model can hold while it has not
 * reported one. `differs` only where both are known.
 */
export function compareAircraft(
  route: RouteModels,
  dockModel: DockModelName,
  reportedKey: string | null,
): AircraftComparison {
  const routeText = describeRoute(route);
  const unknown = (because: string): AircraftComparison => ({ kind: 'unknown', route: routeText, because });
  const candidates = reportedKey === null ? HELD_BY[dockModel] : [reportedKey];
  const aircraft = candidates.map(describeAircraft).join(' or ');
  const fitting = candidates.filter((key) => isFor(route, key));
  if (fitting.length === 0) {
    if (reportedKey !== null && AIRCRAFT[reportedKey] === undefined) {
      return unknown(`the dock reports an aircraft of an unknown model, ${shortOf(reportedKey)}`);
    }
    if (reportedKey === null && AIRCRAFT[route.aircraftKey] === undefined) {
      return unknown('the dock has not reported its aircraft, and the model that the route names is unknown');
    }
    return { kind: 'differs', aircraft, route: routeText };
  }
  const cameras = candidates.map((key) => AIRCRAFT[key]?.camera ?? null);
  const payloads = (route.payloadKeys ?? []).map(typeOf);
  // A camera that no table names may hang on the aircraft's payload port.
  if (!cameras.includes(null) && payloads.some((type) => isBuiltIn(type) && !cameras.includes(type))) {
    return { kind: 'differs', aircraft, route: routeText };
  }
  if (reportedKey === null) return unknown(`the dock has not reported its aircraft; a ${dockModel} holds ${aircraft}`);
  const other = payloads.filter((type) => !cameras.includes(type));
  if (other.length > 0) return unknown(`whether the aircraft carries payload ${other.join(', ')} is not known`);
  return { kind: 'fits', aircraft, route: routeText };
}

/** For people, e.g. `Matrice 3TD (91-1)`. */
export function describeAircraft(key: string): string {
  const model = AIRCRAFT[key];
  return model === undefined ? `aircraft ${shortOf(key)}` : `${model.name} (${shortOf(key)})`;
}

/** The camera is named where it is not the one that the aircraft has built in. */
function describeRoute({ aircraftKey, namesSubType, payloadKeys }: RouteModels): string {
  const aircraft = namesSubType ? describeAircraft(aircraftKey) : `aircraft of type ${typeOf(aircraftKey)}`;
  const own = namesSubType ? AIRCRAFT[aircraftKey]?.camera : undefined;
  const others = (payloadKeys ?? []).map(typeOf).filter((type) => type !== own);
  return others.length === 0 ? aircraft : `${aircraft} with ${others.map(describePayload).join(' and ')}`;
}

function describePayload(type: number): string {
  const owner = Object.values(AIRCRAFT).find(({ camera }) => camera === type);
  return owner === undefined ? `payload ${type}` : `the camera of a ${owner.name} (${type})`;
}

const isFor = ({ aircraftKey, namesSubType }: RouteModels, key: string): boolean =>
  namesSubType ? aircraftKey === key : typeOf(aircraftKey) === typeOf(key);

const isBuiltIn = (type: number): boolean => Object.values(AIRCRAFT).some(({ camera }) => camera === type);
const typeOf = (key: string): number => Number(key.split('-')[1]);
const shortOf = (key: string): string => key.split('-').slice(1).join('-');

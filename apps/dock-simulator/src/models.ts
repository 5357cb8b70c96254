/** Product keys as the vendor numbers them: `domain-type-sub_type` for a device, `type-subtype-gimbal` for a camera. */
export const dockModels = {
  dock1: { type: 1, subType: 0, aircraft: 'M30T' },
  dock2: { type: 2, subType: 0, aircraft: 'M3TD' },
  dock3: { type: 3, subType: 0, aircraft: 'M4TD' },
} as const;

export type DockModel = keyof typeof dockModels;

export const aircraftModels = {
  M30: { type: 67, subType: 0, camera: 52 },
  M30T: { type: 67, subType: 1, camera: 53 },
  M3D: { type: 91, subType: 0, camera: 80 },
  M3TD: { type: 91, subType: 1, camera: 81 },
  M4D: { type: 100, subType: 0, camera: 98 },
  /** In no dock: for routes and docks that do not fit. */
  M3E: { type: 77, subType: 0, camera: 66 },
  M4TD: { type: 100, subType: 1, camera: 99 },
} as const;

export type AircraftModel = keyof typeof aircraftModels;

export const AIRCRAFT_MODELS = Object.keys(aircraftModels) as readonly AircraftModel[];

export function isDockModel(text: string): text is DockModel {
  return Object.hasOwn(dockModels, text);
}

/** The stations that the protocol knows. Their pages differ, so do the fields that each may be sent. */
export const DOCK_MODELS = ['dock1', 'dock2', 'dock3'] as const;
export type DockModel = (typeof DOCK_MODELS)[number];

/** Milestones of the protocol that changed a message on the wire, oldest first. */
export const GENERATIONS = ['1.1', '1.2', '1.3.0', '1.3.2', '1.4', '1.6', '1.7', '1.8', '1.11', '1.15'] as const;
export type Generation = (typeof GENERATIONS)[number];
export const NEWEST_GENERATION: Generation = '1.15';

/** What decides the exact form of a message to a dock. */
export interface DockProfile {
  readonly model: DockModel;
  /** The newest milestone that the dock's firmware speaks. Default: the newest. */
  readonly generation?: Generation;
}

const MODEL_BY_KEY: Readonly<Record<string, DockModel>> = { '3-1-0': 'dock1', '3-2-0': 'dock2', '3-3-0': 'dock3' };

/** The model behind a `domain-type-sub_type` key, e.g. `3-2-0`, or null for any other device. */
export const dockModelOf = (deviceModelKey: string): DockModel | null => MODEL_BY_KEY[deviceModelKey] ?? null;

export const generationOf = (profile: DockProfile): Generation => profile.generation ?? NEWEST_GENERATION;

/** Whether the dock speaks this milestone or a newer one. */
export const speaks = (profile: DockProfile, since: Generation): boolean =>
  GENERATIONS.indexOf(generationOf(profile)) >= GENERATIONS.indexOf(since);

/** Dock 1 has its own, shorter tables since 1.8. */
export const isDock2OrNewer = (profile: DockProfile): boolean => profile.model !== 'dock1';

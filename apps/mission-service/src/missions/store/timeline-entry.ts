import type { TimelineEntry as Entry } from '@aerie/persistence';

/** One thing that happened to a mission. */
export interface TimelineEntry extends Entry {
  readonly missionId: string;
}

import { type TimelineEntry as Entry, Timeline, type Tx } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';

/** One thing that happened to a mission. */
export interface TimelineEntry extends Entry {
  readonly missionId: string;
}

const TIMELINE = new Timeline(SCHEMA, 'mission_id');

/** Writes entries in the order in which they are given. */
export const writeTimeline = (tx: Tx, entries: readonly TimelineEntry[]): Promise<void> =>
  TIMELINE.write(tx, entries.map(timelineColumns));

/** An entry by the names of its columns. */
export const timelineColumns = (entry: TimelineEntry) => TIMELINE.row(entry.missionId, entry);

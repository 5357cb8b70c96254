import type { DockFact } from '@aerie/bus-contract';
import type { MissionEvent } from '@aerie/mission-core';
import type { Evidence } from '../advance-mission.js';

/** A message about the flight of one mission. */
export interface FlightUplink {
  readonly kind: 'flight';
  readonly fact: DockFact;
  readonly dockSn: string;
  readonly missionId: string;
  /** Null for a word that nobody documents: it is kept, and moves nothing. */
  readonly event: MissionEvent | null;
  readonly evidence: Evidence;
  /** Whether it says that the flight goes on; null when it says nothing of that. */
  readonly goesOn: boolean | null;
}

/** A reply to a command. */
export interface ReplyUplink {
  readonly kind: 'reply';
  readonly fact: DockFact;
  readonly dockSn: string;
  readonly tid: string;
  readonly result: number;
}

/** What a dock tells of its flight without naming a state. */
export interface NoticeUplink {
  readonly kind: 'notice';
  readonly fact: DockFact;
  readonly dockSn: string;
  readonly method: string;
}

/** The dock asks for the file of a mission. */
export interface FileUplink {
  readonly kind: 'file';
  readonly fact: DockFact;
  readonly dockSn: string;
  readonly missionId: string;
}

export type Uplink = FlightUplink | ReplyUplink | NoticeUplink | FileUplink;

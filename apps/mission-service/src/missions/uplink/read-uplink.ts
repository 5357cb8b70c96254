import type { DockFact } from '@aerie/bus-contract';
import { isUuid } from '@aerie/kernel';
import {
  foreignFlightOf,
  isPlainProgress,
  readProgress,
  readReady,
  readResourceGet,
  resultOf,
} from '../dji/translate-uplink.js';
import { NOTICES } from './notices.js';
import type { Uplink } from './uplink.js';

/** What one message of a dock asks for, before anything is read from the database. */
export interface Reading {
  /** For metrics and logs. */
  readonly method: string;
  /** The dock that spoke; null while nobody knows which one speaks under this serial number. */
  readonly dockSn: string | null;
  readonly uplinks: readonly Uplink[];
  /** A flight under an id that cannot be ours. */
  readonly foreignFlight: { readonly dockSn: string; readonly id: string; readonly goesOn: boolean } | null;
  /** Why it is kept as a dead letter; null when it is not. */
  readonly orphanReason: string | null;
  /** `received`: plain success. `file`, `progress`: the answer to a question. `none`: it asks for no answer. */
  readonly answer: 'received' | 'file' | 'progress' | 'none';
}

/** Until the topology is known nobody speaks for an aircraft: its message is answered, and has no effect. */
export function readUplink(fact: DockFact, dockSn: string | null): Reading {
  const plain: Reading = {
    method: fact.method ?? '',
    dockSn,
    uplinks: [],
    foreignFlight: null,
    orphanReason: null,
    answer: fact.needReply ? 'received' : 'none',
  };
  if (fact.channel.endsWith('_reply')) {
    return { ...plain, method: 'reply', answer: 'none', uplinks: dockSn === null ? [] : replyOf(fact, dockSn) };
  }
  switch (fact.method) {
    case 'flighttask_progress':
      return { ...plain, ...progressOf(fact, dockSn) };
    case 'flighttask_ready':
      return { ...plain, uplinks: dockSn === null ? [] : readyOf(fact, dockSn) };
    case 'flighttask_resource_get':
      return { ...plain, answer: 'file', uplinks: dockSn === null ? [] : fileOf(fact, dockSn) };
    case 'flighttask_progress_get':
      return { ...plain, answer: 'progress' };
    default:
      return { ...plain, uplinks: dockSn === null ? [] : noticeOf(fact, dockSn) };
  }
}

/** Whether it says only that a flight goes on, to nobody who waits for it. */
export const isPlainReport = (fact: DockFact): boolean =>
  fact.method === 'flighttask_progress' && !fact.channel.endsWith('_reply') && isPlainProgress(fact);

function progressOf(
  fact: DockFact,
  dockSn: string | null,
): Pick<Reading, 'uplinks' | 'foreignFlight' | 'orphanReason'> {
  const told = readProgress(fact);
  if (dockSn === null) {
    return { uplinks: [], foreignFlight: null, orphanReason: 'no dock speaks for this serial number' };
  }
  if (told === null) {
    const foreign = foreignFlightOf(fact);
    const foreignFlight = foreign === null ? null : { dockSn, ...foreign };
    return { uplinks: [], foreignFlight, orphanReason: 'it names no mission' };
  }
  const { missionId, event, progress, breakPoint, goesOn } = told;
  const evidence = { progress, ...(breakPoint === null ? {} : { breakPoint }) };
  return {
    uplinks: [{ kind: 'flight', fact, dockSn, missionId, event, evidence, goesOn }],
    foreignFlight: null,
    orphanReason: null,
  };
}

const readyOf = (fact: DockFact, dockSn: string): Uplink[] =>
  readReady(fact).map((missionId) => ({
    kind: 'flight',
    fact,
    dockSn,
    missionId,
    event: { type: 'flightReady' },
    evidence: {},
    goesOn: null,
  }));

/** A reply is matched by its tid to the command, and with it to the mission. */
const replyOf = (fact: DockFact, dockSn: string): Uplink[] =>
  fact.tid === null || !isUuid(fact.tid)
    ? []
    : [{ kind: 'reply', fact, dockSn, tid: fact.tid, result: resultOf(fact) }];

function fileOf(fact: DockFact, dockSn: string): Uplink[] {
  const missionId = readResourceGet(fact);
  return missionId === null ? [] : [{ kind: 'file', fact, dockSn, missionId }];
}

function noticeOf(fact: DockFact, dockSn: string): Uplink[] {
  const { method } = fact;
  return method !== null && NOTICES.has(method) ? [{ kind: 'notice', fact, dockSn, method }] : [];
}

import { type TracePlace, traceOfCommand, traceOfMission } from '@aerie/bus-contract';
import {
  type NewSpan,
  type TraceContext,
  beginSpan,
  currentTrace,
  isTracing,
  joinTrace,
  placeOf,
} from '@aerie/observability';
import type { Advanced, Order } from '../advance-mission.js';
import type { LockedMission } from '../store/mission.row.js';

/** The request that a mission is accepted for. */
export interface AskedBy {
  readonly trace: TraceContext | undefined;
  readonly atMs: number;
}

export const askedNow = (): AskedBy => ({ trace: currentTrace(), atMs: Date.now() });

/**
 * The first span of the trace of a mission, from the request to the commit; call it after that. It leads to the request, which has a
 * trace of its own, and to the mission that it goes on with.
 */
export function traceAccepted(
  { id, dock_sn, state, resumed_from }: LockedMission,
  asked: AskedBy,
): TraceContext | undefined {
  const first = joinTrace(traceOfMission(id));
  if (first === undefined) return undefined;
  const before = joinTrace(traceOfMission(resumed_from));
  beginSpan({
    ...{ name: 'accept mission', parent: null, as: first, startMs: asked.atMs },
    links: [asked.trace, before].flatMap((link) => link ?? []),
    attributes: { 'aerie.mission.id': id, 'aerie.mission.state': state, 'aerie.dock.sn': dock_sn },
  })?.end();
  return first;
}

/** The dock's message that a decision follows from. */
export interface SaidBy {
  readonly trace: TraceContext | undefined;
  /** Of a reply: the tid of its command. */
  readonly tid?: string | undefined;
}

/**
 * The span of a decision that is committed, and its orders as a part of it. It lies in the trace of its mission, below the message
 * that it follows from, and leads to whatever it was decided in: a request, a timer, a batch.
 */
export function traceDecision(advanced: Advanced, said?: SaidBy): readonly Order[] {
  const { mission, orders } = advanced;
  if (!isTracing()) return orders;
  const first = joinTrace(traceOfMission(mission.id));
  if (first === undefined) return orders;
  const parent = parentOf(first, mission.id, said);
  const span = beginSpan({
    ...{ name: `decide ${advanced.event}`, parent, links: othersOf(parent, [said?.trace, currentTrace()]) },
    attributes: {
      ...{
        'aerie.mission.id': mission.id,
        'aerie.mission.event': advanced.event,
        'aerie.mission.state': mission.state,
      },
      'aerie.dock.sn': mission.dock_sn,
    },
  });
  span?.end();
  return span === undefined ? orders : orders.map((order) => ({ ...order, trace: span.context }));
}

/** A dock that puts another bid into its reply is known by the tid. */
function parentOf(first: TracePlace, missionId: string, said: SaidBy | undefined): TraceContext {
  if (said?.trace?.traceId === first.traceId) return said.trace;
  return (said?.tid === undefined ? null : traceOfCommand(missionId, said.tid)) ?? first;
}

const othersOf = (parent: TraceContext, links: readonly (TraceContext | undefined)[]): TraceContext[] => {
  const others = links.flatMap((link) => (link === undefined || link.spanId === parent.spanId ? [] : [link]));
  return [...new Map(others.map((link) => [link.spanId, link])).values()];
};

/** The span of a command. Its id is made of the tid, so that the dock's reply finds it; that of a repeat is another one. */
export function spanOfCommand({ mission, tid, trace }: Order, method: string): NewSpan {
  const own = trace === undefined ? null : traceOfCommand(mission.id, tid);
  return {
    ...{ name: `command ${method}`, parent: trace ?? null, ...(own === null ? {} : { as: own }) },
    attributes: {
      ...{ 'aerie.mission.id': mission.id, 'aerie.dock.sn': mission.dock_sn },
      ...{ 'aerie.dock.method': method, 'aerie.tid': tid },
    },
  };
}

/** Work on several missions at once: that of one alone lies in its trace. */
export function spanOfMissions(name: string, ids: readonly string[]): NewSpan {
  const traces = ids.flatMap((id) => joinTrace(traceOfMission(id)) ?? []);
  return { name, ...placeOf(traces), attributes: { 'aerie.mission.count': ids.length } };
}

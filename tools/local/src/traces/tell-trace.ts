import { traceOfMission } from '@aerie/bus-contract';
import type { SeenSpan } from './trace-collector.js';

const SERVICE_COLUMN = 74;
const START_COLUMN = 94;

/** What one mission was traced as: the request that asked for it, and the mission. */
export interface MissionTraces {
  readonly request: readonly SeenSpan[];
  readonly mission: readonly SeenSpan[];
}

/** The traces of a mission among all spans. Empty where the first span of the mission is not there yet. */
export function tracesOfMission(spans: readonly SeenSpan[], missionId: string): MissionTraces {
  const first = traceOfMission(missionId);
  const mission = spans.filter(({ traceId }) => traceId === first?.traceId);
  const accepted = mission.find(({ spanId }) => spanId === first?.spanId);
  const asked = accepted?.links[0]?.traceId;
  return { request: spans.filter(({ traceId }) => traceId === asked), mission };
}

/** Spans whose parent nobody has told. */
export const withoutParent = (spans: readonly SeenSpan[]): readonly SeenSpan[] => {
  const known = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId !== null && !known.has(parentSpanId));
};

/** One trace, a line for each span, below its parent; times count from `zeroMs`. */
export function tellTrace(spans: readonly SeenSpan[], zeroMs: number): string[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | null): readonly SeenSpan[] =>
    spans
      .filter(({ parentSpanId: id }) => (id !== null && known.has(id) ? id === parent : parent === null))
      .sort((one, other) => one.startMs - other.startMs || one.endMs - other.endMs);
  const lines = (span: SeenSpan, depth: number): string[] => [
    lineOf(span, depth, zeroMs),
    ...below(span.spanId).flatMap((child) => lines(child, depth + 1)),
  ];
  return below(null).flatMap((span) => lines(span, 0));
}

function lineOf(span: SeenSpan, depth: number, zeroMs: number): string {
  const { name, service, attributes, startMs, endMs, hasFailed } = span;
  const told = ['aerie.mission.state', 'aerie.outcome', 'http.response.status_code', 'aerie.db.statements']
    .flatMap((key) => (attributes[key] === undefined ? [] : [said(key, attributes[key])]))
    .concat(hasFailed ? ['failed'] : []);
  const left = `${'  '.repeat(depth)}${name}${told.length === 0 ? '' : ` (${told.join(', ')})`}`;
  const right = `+${Math.round(startMs - zeroMs)} ms, ${Math.max(0, endMs - startMs).toFixed(1)} ms`;
  return `${left.padEnd(SERVICE_COLUMN)} ${service}`.padEnd(START_COLUMN) + ` ${right}`;
}

const said = (key: string, value: string | number): string =>
  key === 'aerie.db.statements' ? `${value} ${value === 1 ? 'statement' : 'statements'}` : String(value);

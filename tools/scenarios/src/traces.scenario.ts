import { readFileSync } from 'node:fs';
import path from 'node:path';
import { traceOfMission } from '@aerie/bus-contract';
import type { DockHandle } from '@aerie/dock-simulator';
import { type SeenSpan, TraceCollector, tracedTo, tracesOfMission, withoutParent } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { HOME, World, rootFolder } from './world.js';

let collector: TraceCollector;
let world: World;
let dock: DockHandle;
let id: string;
beforeAll(async () => {
  collector = await TraceCollector.listen();
  world = await World.start(tracedTo(collector.url));
  dock = await world.dock();
  ({ id } = await world.immediate(dock));
  await world.ended(id);
  await eventually('the last word of the dock is in the trace, down to its answer', () =>
    mission().some((span) => span.name === 'write events_reply flighttask_progress' && isBelowTheEnd(span)),
  );
}, 180_000);
afterAll(async () => {
  await world.stop();
  await collector.close();
}, 60_000);

const mission = (): readonly SeenSpan[] => tracesOfMission(collector.spans, id).mission;
const request = (): readonly SeenSpan[] => tracesOfMission(collector.spans, id).request;

const parentOf = (span: SeenSpan): SeenSpan | undefined =>
  collector.trace(span.traceId).find(({ spanId }) => spanId === span.parentSpanId);

/** From the span up to the first of its trace. */
function wayUp(span: SeenSpan): readonly SeenSpan[] {
  const parent = parentOf(span);
  return parent === undefined ? [span] : [span, ...wayUp(parent)];
}

/** Whether the message of the dock that ended the flight stands above a span. */
const isBelowTheEnd = (span: SeenSpan): boolean => {
  const end = mission().find(({ name }) => name === 'decide flightEnded');
  return wayUp(span).some(({ spanId }) => spanId === end?.parentSpanId);
};

const wordsOf = (spans: readonly SeenSpan[]): string[] => spans.map(({ service, name }) => `${service}: ${name}`);

it('follows one flight from its request to the last word of its dock, and knows the parent of each span', () => {
  expect(request().length).toBeGreaterThan(0);
  expect(withoutParent([...request(), ...mission()])).toEqual([]);
  const [first, ...others] = mission().filter(({ parentSpanId }) => parentSpanId === null);
  expect([first?.name, first?.spanId, others]).toEqual(['accept mission', traceOfMission(id)?.spanId, []]);
  expect(wordsOf(request().filter(({ parentSpanId }) => parentSpanId === null))).toEqual(['edge: POST other']);
  expect(wordsOf(request())).toContain('mission-service: POST /api/v1/missions');
  // And back: who looks at the request finds the mission.
  const write = request().find(({ name }) => name === 'write missions');
  expect(write?.links.map(({ traceId }) => traceId)).toEqual([first?.traceId]);
  const states = mission().flatMap(({ attributes }) => attributes['aerie.mission.state'] ?? []);
  expect(new Set(states)).toEqual(
    new Set(['scheduled', 'preparing', 'prepared', 'starting', 'executing', 'succeeded']),
  );
});

it.each(['flighttask_prepare', 'flighttask_execute'])('joins the reply to %s by its tid, down to SQL', (method) => {
  const replied = mission().find(({ name }) => name === `reply ${method}`);
  if (replied === undefined) throw new Error('there is no reply');
  expect(wordsOf(wayUp(replied)).slice(0, 2)).toEqual([
    `mqtt-ingress: reply ${method}`,
    `mission-service: command ${method}`,
  ]);
  const below = mission().filter((span) => wayUp(span).includes(replied) && span !== replied);
  expect(wordsOf(below)).toEqual(
    expect.arrayContaining(['mission-service: handle mission-replies', 'mission-service: transaction']),
  );
  const written = mission().find(({ name }) => name === `write services ${method}`);
  expect([written?.service, written && parentOf(written)]).toEqual(['mqtt-ingress', parentOf(replied)]);
  const [sent] = world.tap.of('services', method, id);
  expect(replied.attributes['aerie.tid']).toBe(sent?.tid);
});

it('names spans as docs/traces.md does, each of which says what it is', () => {
  const page = readFileSync(path.join(rootFolder(), 'docs', 'traces.md'), 'utf8');
  const described = [...page.matchAll(/^\| `([^`]+)`/gm)].map(
    ([, name = '']) =>
      new RegExp(`^${name.replaceAll(/[.*+?^${}()[\]\\]/g, '\\$&').replaceAll(/<[a-z ]+>/g, '\\S+')}$`),
  );
  const names = [...new Set(collector.spans.map(({ name }) => name))];
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !described.some((pattern) => pattern.test(name)))).toEqual([]);
});

it('tells neither places nor keys nor names, and nothing of what was written', () => {
  const seen = collector.bodies.join('\n');
  const secrets = {
    'the API key': world.stack.apiKey,
    'the latitude of the dock': String(HOME.latitude),
    'the name of the route': 'scenario',
    'the route': world.waylineId,
    'the caller': 'api-key:',
  };
  for (const [what, text] of Object.entries(secrets)) expect([what, seen.includes(text)]).toEqual([what, false]);
});

it('flies all the same while the collector is away', async () => {
  collector.isAway = true;
  const { id: next } = await world.immediate(dock);
  await expect(world.ended(next)).resolves.toMatchObject({ state: 'succeeded' });
  collector.isAway = false;
}, 60_000);

import { type Logger, Metrics } from '@aerie/observability';
import { countEnds, logFact } from './log-facts.js';

const ids = { missionId: '11111111-1111-4111-8111-111111111111', dockSn: 'D1' };
const lines: [unknown, string][] = [];
const logger = { info: (fields: unknown, text: string) => lines.push([fields, text]) } as unknown as Logger;
const metrics = new Metrics('log-facts-spec');
const ended = countEnds(metrics);
const change = (from: string, to: string, cause: unknown = null): void =>
  logFact(
    logger,
    'mission.v1.org.stateChanged',
    { ...ids, ...{ from, to, cause, revision: 1, at: '2030-01-01T00:00:00.000Z' } },
    ended,
  );

it('leaves a line with ids for a mission that was accepted, prepared, started and ended, and none for what lies between', () => {
  logFact(logger, 'mission.v1.org.created', { ...ids, kind: 'immediate', executeAt: null }, ended);
  for (const [from, to] of [
    ['scheduled', 'preparing'],
    ['preparing', 'prepared'],
    ['prepared', 'starting'],
    ['starting', 'executing'],
    ['executing', 'paused'],
    ['paused', 'executing'],
  ] as const) {
    change(from, to);
  }
  change('executing', 'succeeded', { code: 'reported_by_dock' });

  expect(lines).toEqual([
    [{ ...ids, kind: 'immediate', executeAt: null }, 'mission accepted'],
    [ids, 'mission prepared'],
    [ids, 'mission started'],
    [{ ...ids, state: 'succeeded', cause: 'reported_by_dock' }, 'mission ended'],
  ]);
});

it('counts the ends of missions by state, from nought on', async () => {
  change('scheduled', 'missed', { code: 'dock_offline' });
  change('executing', 'paused');

  const text = await metrics.registry.getSingleMetricAsString('mission_ended_total');
  expect(text).toContain('mission_ended_total{state="missed",service="log-facts-spec"} 1');
  expect(text).toContain('mission_ended_total{state="outcome_unknown",service="log-facts-spec"} 0');
  expect(text).not.toContain('paused');
});

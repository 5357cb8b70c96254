import { Metrics } from '@aerie/observability';
import { z } from 'zod';
import { readAsk } from './ask.js';
import { countUnknownFields, noteUnknownFields } from './unknown-fields.js';

const question = {
  subject: 'ask.zoo.v1.birds.get',
  timeoutMs: 1_000,
  ask: z.object({ ids: z.array(z.object({ id: z.string() })), facts: z.record(z.string(), z.unknown()) }),
  answer: z.object({}),
};

let metrics: Metrics;
beforeEach(() => {
  metrics = new Metrics('zoo');
  countUnknownFields(metrics);
});

async function counted(): Promise<number | undefined> {
  const { values } = (await metrics.registry.getSingleMetric('unknown_fields_total')?.get()) ?? { values: [] };
  return values.find(({ labels }) => labels['subject'] === question.subject)?.value;
}

it('understands a question of a newer release, and counts what it does not know', async () => {
  const asked = { ids: [{ id: '1', colour: 'red' }], facts: { wings: 2 }, since: 1 };
  expect(readAsk(question, asked)).toEqual({ ids: [{ id: '1' }], facts: { wings: 2 } });
  await expect(counted()).resolves.toBe(2);
});

it('counts nothing where everything is known', async () => {
  readAsk(question, { ids: [], facts: { wings: { left: 1 } } });
  noteUnknownFields(question.subject, ['a'], ['a']);
  await expect(counted()).resolves.toBeUndefined();
});

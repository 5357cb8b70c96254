import { Metrics } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { showDocks } from './show-docks.js';

const docks = { query: async () => ['A', 'B', 'C'].map((sn) => ({ sn })) } as unknown as DataSource;
const shown = (metrics: Metrics): Promise<string> => metrics.registry.getSingleMetricAsString('fleet_docks');

it('shows how many docks are online and away, and asks Redis no more often than each half minute', async () => {
  const metrics = new Metrics('spec');
  let asked = 0;
  showDocks(metrics, docks, { countOnline: async ({ length }) => (asked++, length - 1) });
  for (const _ of [1, 2]) {
    expect(await shown(metrics)).toMatch(/presence="online".*\} 2$/m);
    expect(await shown(metrics)).toMatch(/presence="away".*\} 1$/m);
  }
  expect(asked).toBe(1);
});

it('shows no number while Redis does not answer: nobody knows then', async () => {
  const metrics = new Metrics('spec');
  showDocks(metrics, docks, { countOnline: () => Promise.reject(new Error('away')) });
  expect(await shown(metrics)).not.toContain('presence=');
});

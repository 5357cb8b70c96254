import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { metricsIn, namedMetrics, readAlertTests, readAlerts, registeredMetrics, toldMetrics } from './alerts.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const read = (file: string): string => readFileSync(path.join(root, 'docker', file), 'utf8');
const alerts = readAlerts(read('alerts.yml'));

it('names only metrics that some program registers, in alerts and dashboards', () => {
  const registered = registeredMetrics(root);
  expect(registered.size).toBeGreaterThan(30);
  expect(namedMetrics(root).filter(({ metric }) => !registered.has(metric))).toEqual([]);
});

it.each(alerts)('says of $alert in plain words what is wrong, and what to do', ({ labels, annotations }) => {
  expect(['critical', 'warning']).toContain(labels.severity);
  expect(annotations.summary.length).toBeGreaterThan(20);
  expect(annotations.action).toMatch(/^[A-Z].{30,}\.$/);
});

it('has for each alert a time at which it is silent and one at which it fires', () => {
  const tests = readAlertTests(read('alerts.test.yml'));
  expect(tests.map(({ name }) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  for (const { name, promql_expr_test } of tests) {
    const tells = promql_expr_test.filter(({ expr }) => expr === `ALERTS{alertname="${name}",alertstate="firing"}`);
    expect([name, ...tells.map(({ exp_samples }) => exp_samples.length)]).toEqual([name, 0, 1]);
  }
});

it('reads the alerts where the site runs Prometheus', () => {
  const { rule_files } = parse(read('prometheus.yml')) as { rule_files: string[] };
  const { services } = parse(read('compose.yml'), { merge: true }) as {
    services: { prometheus: { volumes: string[] } };
  };
  expect(rule_files).toEqual(['alerts.yml']);
  expect(services.prometheus.volumes).toContain('./alerts.yml:/etc/prometheus/alerts.yml:ro');
});

it.each([
  ['max by (stream) (stream_full_ratio{stream!~"FACTS|DEAD"}) > 0.8', ['stream_full_ratio']],
  ['sum(rate(a_count[5m])) - sum(rate(a_bucket{le="5"}[5m])) > 0', ['a_count', 'a_bucket']],
  ['up{job="aerie"} == 0 and on (instance) b unless c offset 5m', ['up', 'b', 'c']],
  ['histogram_quantile(0.99, sum by (le) (rate(d_bucket[1m]))) > 1e3', ['d_bucket']],
  ['1 - sum without(x) (e:rate5m) / 2', ['e:rate5m']],
])('finds the metrics of %s', (expr, metrics) => {
  expect(metricsIn(expr)).toEqual(metrics);
});

it('reads what a program tells, a histogram by its three parts', () => {
  const text = '# HELP a A.\n# TYPE a counter\na 1\n# TYPE b histogram\nb_bucket{le="1"} 0\n';
  expect([...toldMetrics(text)]).toEqual(['a', 'b_bucket', 'b_count', 'b_sum']);
});

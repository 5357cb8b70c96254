import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import {
  isOfNode,
  metricsIn,
  namedMetrics,
  readAlertTests,
  readAlerts,
  registeredMetrics,
  toldMetrics,
} from './alerts.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const read = (file: string): string => readFileSync(path.join(root, 'docker', file), 'utf8');
const alerts = readAlerts(read('alerts.yml'));

it('names only metrics that some program registers, in alerts and dashboards', () => {
  const registered = registeredMetrics(root);
  expect(registered.size).toBeGreaterThan(30);
  expect(namedMetrics(root).filter(({ metric }) => !registered.has(metric) && !isOfNode(metric))).toEqual([]);
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

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the dashboards', () => {
  const folder = path.join(root, 'docker', 'grafana', 'dashboards');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const source = parse(read('grafana/datasources/prometheus.yml')) as { datasources: { uid: string }[] };

  it('are found by Grafana where the site mounts them, each under a name of its own', () => {
    const { providers } = parse(read('grafana/dashboards/aerie.yml')) as { providers: { options: { path: string } }[] };
    const { services } = parse(read('compose.yml'), { merge: true }) as {
      services: { grafana: { volumes: string[] } };
    };
    expect(services.grafana.volumes).toContain('./grafana:/etc/grafana/provisioning:ro');
    expect(providers.map(({ options }) => options.path)).toEqual(['/etc/grafana/provisioning/dashboards']);
    const uids = files.map((file) => (JSON.parse(read(`grafana/dashboards/${file}`)) as { uid: string }).uid);
    expect(new Set(uids).size).toBe(files.length);
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)('%s has panels that say what they show, in what unit, from the source that is there', (file) => {
    const { panels } = JSON.parse(read(`grafana/dashboards/${file}`)) as { panels: Panel[] };
    const places = new Set(panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`));
    expect(places.size).toBe(panels.length);
    for (const { title, description, datasource, fieldConfig, targets } of panels) {
      expect([title, title.length > 0, description.length > 0]).toEqual([title, true, true]);
      expect([title, datasource.uid]).toEqual([title, source.datasources[0]?.uid]);
      expect(fieldConfig.defaults.unit).toMatch(/^(short|s|bytes|percentunit|reqps)$/);
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr, legendFormat } of targets) expect([expr, legendFormat.length > 0]).toEqual([expr, true]);
    }
  });
});

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}

export interface AlertTest {
  readonly name: string;
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}

export const readAlerts = (text: string): Alert[] => (parse(text) as Rules).groups.flatMap(({ rules }) => rules);

export const readAlertTests = (text: string): AlertTest[] =>
  (parse(text) as { tests: readonly AlertTest[] }).tests as AlertTest[];

/** Words of PromQL that stand where a name may stand. */
const WORDS = new Set(['by', 'without', 'on', 'ignoring', 'and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);

/** Names of metrics in an expression of PromQL: what is neither a label, nor a function, nor a word of the language. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !WORDS.has(name.toLowerCase())))];
}

/** What Prometheus makes of a scrape by itself. */
const OF_PROMETHEUS = ['up'];
/** A histogram is told as these. */
const OF_HISTOGRAM = ['_bucket', '_count', '_sum'];
const REGISTRATION = /\.(counter|gauge|askedGauges?|histogram)(?:<[^>]*>)?\(\s*'([a-z][a-z0-9_]*)'/g;

/** The metrics that programs of ours register, by their source. */
export function registeredMetrics(root: string): Set<string> {
  const names = new Set(OF_PROMETHEUS);
  for (const part of ['apps', 'libs']) {
    for (const file of readdirSync(path.join(root, part), { recursive: true, encoding: 'utf8' })) {
      if (!/[\\/]src[\\/].*\.ts$/.test(file) || /\.(spec|fixture|fake)\.ts$|node_modules/.test(file)) continue;
      for (const [, kind, name = ''] of readFileSync(path.join(root, part, file), 'utf8').matchAll(REGISTRATION)) {
        for (const each of kind === 'histogram' ? OF_HISTOGRAM.map((end) => name + end) : [name]) names.add(each);
      }
    }
  }
  return names;
}

/** The metrics that a program tells, by its answer at `/metrics`. */
export function toldMetrics(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    for (const each of type === 'histogram' ? OF_HISTOGRAM.map((end) => name + end) : [name]) names.add(each);
  }
  return names;
}

/** Each query of a dashboard, with its file. */
export function dashboardQueries(root: string): { readonly where: string; readonly expr: string }[] {
  const folder = path.join(root, 'docker', 'grafana');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const dashboard: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
      return queriesIn(dashboard).map((expr) => ({ where: `dashboard ${file}`, expr }));
    });
}

/** Each metric that an alert or a dashboard names, with where. */
export function namedMetrics(root: string): { readonly metric: string; readonly where: string }[] {
  const alerts = readAlerts(readFileSync(path.join(root, 'docker', 'alerts.yml'), 'utf8'));
  const queries = [...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })), ...dashboardQueries(root)];
  return queries.flatMap(({ where, expr }) => metricsIn(expr).map((metric) => ({ metric, where })));
}

/** What the registry of a process has beside ours. */
export const isOfNode = (metric: string): boolean => /^(process|nodejs)_/.test(metric);

/** The queries of a dashboard, wherever its panels lie. */
function queriesIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) =>
    key === 'expr' && typeof value === 'string' ? [value] : queriesIn(value),
  );
}

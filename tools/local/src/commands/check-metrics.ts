import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dashboardQueries, isOfNode, namedMetrics, registeredMetrics, toldMetrics } from '@aerie/deploy';
import { ask } from '../stack/ask.js';
import { type RegisteredMetric, metricsOf } from '../api-docs/metrics.js';

/**
 * The alerts and dashboards of docker/: by Prometheus' own tool where it is there, and against what the programs of the Aerie
 * that runs in this folder really tell. What could not be looked at is said.
 */
export async function checkMetrics(root: string): Promise<number> {
  const docker = path.join(root, 'docker');
  const faults: string[] = [];
  const named = namedMetrics(root);
  const registered = registeredMetrics(root);
  for (const { metric, where } of named) {
    if (!registered.has(metric) && !isOfNode(metric))
      faults.push(`${where} names ${metric}, which no program registers`);
  }
  console.log(`${named.length} metrics are named by alerts and dashboards.`);

  if (spawnSync('promtool', ['--version']).error !== undefined) {
    console.log(
      'There is no `promtool` on PATH (it comes with Prometheus): alerts and dashboards were not checked and not tested by it.',
    );
  } else {
    const promtool = (args: readonly string[], what = args.join(' ')): void => {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: docker, encoding: 'utf8' });
      console.log(`promtool ${what}: ${status === 0 ? 'good' : 'FAILED'}`);
      if (status !== 0) faults.push(`promtool ${what}:\n${stdout}${stderr}`);
    };
    promtool(['check', 'config', 'prometheus.yml']);
    promtool(['check', 'rules', 'alerts.yml']);
    promtool(['test', 'rules', 'alerts.test.yml']);
    const queries = dashboardQueries(root);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'aerie-dashboards-'));
    try {
      // It reads expressions of rules alone.
      const rules = queries.map(({ expr }, index) => ({ record: `dashboard:${index}`, expr }));
      const file = path.join(folder, 'dashboards.yml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
      promtool(['check', 'rules', file], `check rules (the ${queries.length} queries of the dashboards)`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  const runFile = path.join(root, '.aerie', 'run.json');
  if (!existsSync(runFile)) {
    console.log('No Aerie runs in this folder (`npm start`): what its programs really tell was not looked at.');
  } else {
    const { metrics, tls } = JSON.parse(readFileSync(runFile, 'utf8')) as {
      readonly metrics: Readonly<Record<string, string>>;
      readonly tls?: { readonly ca: string };
    };
    const ca = tls && readFileSync(tls.ca, 'utf8');
    const told = new Set(['up']);
    const page = metricsOf(root);
    for (const [name, url] of Object.entries(metrics)) {
      const answer = await ask(url, ca).catch(() => undefined);
      if (answer?.status !== 200) faults.push(`${name} does not tell its metrics at ${url}`);
      else {
        const { text } = answer;
        for (const metric of toldMetrics(text)) told.add(metric);
        for (const metric of notOnPage(text, page))
          faults.push(`docs/metrics.md does not say that ${name} tells ${metric}`);
      }
    }
    for (const { metric, where } of named) {
      if (!told.has(metric)) faults.push(`${where} names ${metric}, which no running program tells`);
    }
    console.log(`${told.size} metrics are told by the programs that run here.`);
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

function notOnPage(text: string, page: readonly RegisteredMetric[]): string[] {
  const service = /service="([^"]+)"/.exec(text)?.[1] ?? '';
  const known = new Set(page.filter(({ programs }) => programs.includes(service)).map(({ name }) => name));
  return [...text.matchAll(/^# TYPE (\S+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !isOfNode(name) && !known.has(name));
}

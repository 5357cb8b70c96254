import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { registeredMetrics, toldMetrics } from '@aerie/deploy';
import { accepts, freePort } from '@aerie/loopback';
import { metricsOf } from './metrics.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const told = (type: string, name: string): string[] =>
  type === 'histogram' ? ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`) : [name];

describe('the metrics of the page', () => {
  const metrics = metricsOf(ROOT);

  it('are all that some program registers', () => {
    const names = metrics.flatMap(({ type, name }) => told(type, name));
    expect(new Set([...names, 'up'])).toEqual(registeredMetrics(ROOT));
  });

  it('belong to one program or more, and have a help that ends as a sentence', () => {
    for (const { name, programs, help } of metrics) {
      expect([name, programs.length > 0, /[.:] ?$|\.$/.test(help)]).toEqual([name, true, true]);
    }
  });

  it('have no serial number and no id as a label', () => {
    const forbidden = /^(sn|id|tid|bid|.*_(sn|id)|dock|mission|aircraft|organisation|key|topic|url|path)$/;
    expect(
      metrics.flatMap(({ name, labels }) => labels.filter((label) => forbidden.test(label)).map(() => name)),
    ).toEqual([]);
  });

  describe('of a program that needs no server', () => {
    let program: ChildProcess;
    let answer: Response;

    beforeAll(async () => {
      const port = await freePort();
      const urls = Object.fromEntries(
        ['MISSION', 'FLEET', 'LOG', 'CREDENTIAL'].map((name) => [`EDGE_${name}_URL`, 'http://127.0.0.1:9']),
      );
      program = spawn(process.execPath, [path.join(ROOT, 'apps/edge/dist/main.js')], {
        env: { PATH: process.env['PATH'], EDGE_HTTP_PORT: String(port), EDGE_LOG_LEVEL: 'silent', ...urls },
        stdio: 'inherit',
      });
      while (!(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 20));
      answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    }, 30_000);

    afterAll(async () => {
      const ended = once(program, 'exit');
      program.kill('SIGTERM');
      await ended;
    });

    it('are those that it tells while it runs', async () => {
      const own = [...toldMetrics(await answer.text())].filter((name) => !/^(process|nodejs)_/.test(name));
      const page = metrics.filter(({ programs }) => programs.includes('edge'));
      expect(own.sort()).toEqual(page.flatMap(({ type, name }) => told(type, name)).sort());
    });
  });
});

describe('the calls that register metrics', () => {
  let root: string;
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'aerie-metrics-'));
    write('apps/a/src/main.ts', "import { one } from '@aerie/x';\none();\n");
    write('apps/b/src/main.ts', "import { type one } from '@aerie/x';\n");
    write('libs/x/src/two.ts', "export function two(m) {\n  m.counter('c_total', 'Cs.', ['kind']);\n}\n");
    write('libs/x/src/one.ts', "import { two } from './two.js';\nexport const one = () => two();\n");
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('count for each program that uses them through others, and for none that knows a type alone', () => {
    expect(metricsOf(root)).toEqual([
      { name: 'c_total', type: 'counter', labels: ['kind'], help: 'Cs.', programs: ['a'] },
    ]);
  });

  it.each([
    ['a name', "m.counter(NAME, 'Cs.');"],
    ['a help', "m.gauge('c', helpOf('c'), () => 1);"],
  ])('are refused where %s is not written out', (_, call) => {
    write('libs/x/src/three.ts', `export function three(m) {\n  ${call}\n}\n`);
    expect(() => metricsOf(root)).toThrow(
      'libs/x/src/three.ts registers a metric whose name, help or labels are no literals',
    );
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { Api, good, registerDock } from '../stack/api.js';
import { SERVICE_NAMES, type ServiceName } from '../stack/services.js';
import { withStack } from '../stack/with-stack.js';
import { tellTrace, tracesOfMission, withoutParent } from '../traces/tell-trace.js';
import { TraceCollector } from '../traces/trace-collector.js';

const PAGE = 'docs/traces.md';
const BEGIN = '<!-- trace:begin -->';
const END = '<!-- trace:end -->';
const HOME = { latitude: 46.5, longitude: 6.6, heightMeters: 450 };
const FLOWN_WITHIN_MS = 120_000;
const POLL_MS = 200;
/** Programs send their spans each two seconds. */
const TOLD_AFTER_MS = 5_000;

/** What every program is told that traces everything to this collector. */
export const tracedTo = (url: string): Partial<Record<ServiceName, Readonly<Record<string, string>>>> =>
  Object.fromEntries(
    SERVICE_NAMES.filter((name) => name !== 'object-store').map((name) => [
      name,
      { TRACES_ENDPOINT: url, TRACES_SHARE: '1' },
    ]),
  );

/** Flies one mission and writes its traces into their page. */
export async function docsTrace(root: string): Promise<number> {
  const collector = await TraceCollector.listen();
  const options = {
    root,
    directory: path.join(root, '.aerie', 'docs-trace'),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    env: tracedTo(collector.url),
    say: (text: string): void => console.error(text),
  };
  try {
    const id = await withStack(options, async (stack) => {
      const api = new Api(stack.apiUrl, stack.apiKey);
      const origin = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
      const kmz = await makeSampleKmz({ ...origin, waypoints: 3, aircraft: 'M3TD' });
      const { id: waylineId } = good(await api.upload<{ id: string }>('/waylines?name=traced', kmz));
      const connection = await registerDock(api, 'TRACED-1', 'dock2', 'TRACED-1');
      const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = connection;
      const dock = await startDock({
        ...{ sn: 'TRACED-1', mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
        ...{ position: HOME, speed: 60 },
      });
      try {
        await dock.waitFor('online', FLOWN_WITHIN_MS);
        return await fly(api, { dockSn: 'TRACED-1', waylineId, rthAltitudeMeters: 60, kind: 'immediate' });
      } finally {
        await dock.stop();
      }
    });
    const { request, mission } = tracesOfMission(collector.spans, id);
    const lost = withoutParent(mission);
    if (lost.length > 0) throw new Problem(`Nobody told the parent of ${lost.map(({ name }) => name).join(', ')}.`);
    const zeroMs = Math.min(...request.map(({ startMs }) => startMs));
    write(root, [...tellTrace(request, zeroMs), '', ...tellTrace(mission, zeroMs)]);
    return 0;
  } finally {
    await collector.close();
  }
}

async function fly(api: Api, body: Readonly<Record<string, unknown>>): Promise<string> {
  const { id } = good(await api.post<{ id: string }>('/missions', body));
  const untilMs = performance.now() + FLOWN_WITHIN_MS;
  while (good(await api.get<{ state: string }>(`/missions/${id}`)).state !== 'succeeded') {
    if (performance.now() > untilMs) throw new Problem('The mission has not succeeded.');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, TOLD_AFTER_MS));
  return id;
}

function write(root: string, lines: readonly string[]): void {
  const file = path.join(root, PAGE);
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Problem(`${PAGE} must have the lines ${BEGIN} and ${END}, in this order.`);
  writeFileSync(
    file,
    `${text.slice(0, begin + BEGIN.length)}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\`\n\n${text.slice(end)}`,
  );
  console.log(`Wrote ${PAGE}.`);
}

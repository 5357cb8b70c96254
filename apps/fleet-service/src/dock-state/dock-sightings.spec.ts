import type { Logger } from '@aerie/observability';
import { DockSightings } from './dock-sightings.js';
import { ONLINE_WITHIN_MS } from './sight.js';

it('writes one line when a dock comes, one when it has gone, and one when it comes again', () => {
  const lines: [unknown, string][] = [];
  const logger = { info: (fields: unknown, text: string) => lines.push([fields, text]) } as unknown as Logger;
  const sightings = new DockSightings(logger);

  sightings.seen('D1', 0);
  sightings.seen('D1', 20_000);
  sightings.look(20_000 + ONLINE_WITHIN_MS - 1);
  sightings.look(20_000 + ONLINE_WITHIN_MS);
  sightings.look(20_000 + ONLINE_WITHIN_MS + 1);
  sightings.seen('D1', 90_000);

  expect(lines).toEqual([
    [{ dockSn: 'D1' }, 'dock came online'],
    [{ dockSn: 'D1', silentMs: ONLINE_WITHIN_MS }, 'dock went offline'],
    [{ dockSn: 'D1' }, 'dock came online'],
  ]);
});

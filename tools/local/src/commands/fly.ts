import type { DockHandle } from '@aerie/dock-simulator';
import { type Api, good } from '../stack/api.js';
import { hasEnded } from '../stack/has-ended.js';

interface MissionView {
  readonly id: string;
  readonly state: string;
  readonly cause: { readonly code: string; readonly dockResult?: number } | null;
  readonly progress: {
    readonly percent: number | null;
    readonly waypointIndex: number | null;
    readonly status: string;
  } | null;
}

const WITHIN_MS = 120_000;
const BAR_WIDTH = 24;

/** Uploads a route, flies it with one dock and shows how it goes. Returns the mission as it ended. */
export async function flyMission(api: Api, dock: DockHandle, kmz: Uint8Array): Promise<MissionView> {
  const wayline = good(await api.upload<{ id: string; name: string }>('/waylines?name=sample', kmz));
  let mission = good(
    await api.post<MissionView>('/missions', {
      dockSn: dock.sn,
      waylineId: wayline.id,
      kind: 'immediate',
      rthAltitudeMeters: 80,
    }),
  );
  console.log(`Mission ${mission.id} on dock ${dock.sn}`);
  const startedMs = Date.now();
  let shown = '';
  while (!hasEnded(mission.state) && Date.now() - startedMs < WITHIN_MS) {
    shown = show(mission, shown);
    await new Promise((resolve) => setTimeout(resolve, 200));
    mission = good(await api.get<MissionView>(`/missions/${mission.id}`));
  }
  show(mission, shown);
  if (process.stdout.isTTY) process.stdout.write('\n');
  const cause =
    mission.cause === null
      ? ''
      : ` (${mission.cause.code}${mission.cause.dockResult ? ` ${mission.cause.dockResult}` : ''})`;
  const seconds = ((Date.now() - startedMs) / 1_000).toFixed(1);
  console.log(`Mission ${mission.state}${mission.state === 'succeeded' ? '' : cause} after ${seconds} s`);
  return mission;
}

/** One line that changes in a terminal; one line for each change elsewhere. */
function show({ state, progress }: MissionView, shown: string): string {
  const percent = hasEnded(state) ? 100 : (progress?.percent ?? 0);
  const filled = Math.round((percent / 100) * BAR_WIDTH);
  const waypoint = progress?.waypointIndex == null ? '' : `  waypoint ${progress.waypointIndex}`;
  const line = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(percent).padStart(3)} %  ${state}${waypoint}`;
  if (line === shown) return shown;
  process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  return line;
}

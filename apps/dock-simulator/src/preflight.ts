import type { DockContext } from './context.js';
import { fetchRoute } from './download.js';
import type { Inquiries } from './inquiries.js';
import { resultCodes } from './result-codes.js';
import { type Route, RouteError } from './route.js';
import { readFile, type Task } from './tasks.js';
import { numberOf, objectOf } from './wire.js';

const MAP_WAIT_SIMULATED_MS = 40_000;
const RESOURCE_ATTEMPTS = 3;

/** What a dock asks the cloud between the accepted command and the first step of a flight. */
export class Preflight {
  constructor(
    private readonly context: DockContext,
    private readonly inquiries: Inquiries,
  ) {}

  /** The route of a task: kept since the prepare, or fetched again. Fails with a `RouteError`. */
  async routeFor(task: Task): Promise<Route> {
    const { settings } = this.context;
    const asks = settings.askResource === 'always' || (settings.askResource === 'whenMissing' && !task.route);
    if (!asks) return task.route ?? fetchRoute(task.file, settings);
    const answer = await this.inquiries.ask({
      method: 'flighttask_resource_get',
      data: { flight_id: task.flightId },
      bid: task.flightId,
      attempts: RESOURCE_ATTEMPTS,
    });
    const output = objectOf(answer?.['output']);
    const file = readFile(output['file'] ?? answer?.['file']);
    if (!answer || numberOf(answer['result']) !== 0 || !file) {
      throw new RouteError(resultCodes.noKmzAddress, 'the cloud gave no address of the KMZ');
    }
    return fetchRoute(file, settings);
  }

  /** [Cloud API, FAQ] a dock compares maps and areas with the cloud first, and silence costs it about 40 s. */
  async askMaps(): Promise<void> {
    const { askMaps, speed } = this.context.settings;
    if (!askMaps) return;
    const once = { data: null, attempts: 1, timeoutMs: Math.max(MAP_WAIT_SIMULATED_MS / speed, 50) };
    await Promise.all([
      this.inquiries.ask({ method: 'offline_map_get', ...once }),
      this.inquiries.ask({ method: 'flight_areas_get', ...once }),
    ]);
  }
}

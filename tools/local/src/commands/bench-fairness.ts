import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeSampleKmz } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { Api, good, registerDock } from '../stack/api.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { delaysOf, lineOf, lossesOf } from './fairness/figures.js';
import { Flood } from './fairness/flood.js';
import { Others, type OthersFigures } from './fairness/others.js';

const PER_SECOND = 200;
const BYTES = 110 * 1024;
const ASKING = 10;
const FLYING = 5;
/** The flood has used up what its dock had saved up, and everything is as full as it gets. */
const WARM_UP_MS = 10_000;
const HOME = { originLatitude: 46.5197, originLongitude: 6.6323 };

/**
 * What other docks notice when one dock sends 200 messages a second of 110 KiB, and when log-service stands still: how long
 * their requests and the ends of their flights take, and whether anything of theirs is lost. Ends with 1 when it is.
 */
export async function benchFairness(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string', default: '60' } } });
  const forMs = Number(values.seconds) * 1_000;
  const directory = path.join(root, '.aerie', 'bench-fairness');
  const packagesDirectory = path.join(root, '.aerie', 'bin');
  const say = (text: string): void => console.log(text);
  // The dock that floods is not cut off: what is measured is how the others fare while it goes on.
  const env = {
    'mqtt-ingress': { INGRESS_FLOOD_SECONDS: '3600' },
    'mission-service': { MISSION_EXECUTE_LEAD_MS: '0' },
  };
  return withStack({ root, directory, packagesDirectory, env, say }, async (stack) => {
    const api = new Api(stack.apiUrl, stack.apiKey);
    const kmz = await makeSampleKmz({ ...HOME, waypoints: 3, aircraft: 'M3TD' });
    const waylineId = good(await api.upload<{ id: string }>('/waylines?name=fairness', kmz)).id;
    const live = async (prefix: string): Promise<OthersFigures> => {
      const others = await Others.bringUp({ stack, api, waylineId, prefix, asking: ASKING, flying: FLYING, forMs });
      try {
        return await others.live();
      } finally {
        await others.close();
      }
    };
    const rounds: [string, OthersFigures][] = [];
    const round = async (name: string, prefix: string): Promise<void> => {
      const figures = await live(prefix);
      console.log(lineOf(name, figures));
      rounds.push([name, figures]);
    };
    await round('undisturbed', 'CALM');
    await underFlood(root, stack, api, () =>
      round(`one dock sends ${PER_SECOND} messages a second of 110 KiB`, 'FLOODED'),
    );
    await withoutLogService(stack, () => round('log-service stands still', 'NOLOG'));

    const faults = rounds.flatMap(([name, figures]) =>
      [...lossesOf(figures), ...delaysOf(figures)].map((fault) => `${name}: ${fault}`),
    );
    for (const fault of faults) console.log(fault);
    if (faults.length === 0) console.log('Nothing of the other docks was lost, and all came in time.');
    return faults.length === 0 ? 0 : 1;
  });
}

async function underFlood(root: string, stack: Stack, api: Api, use: () => Promise<void>): Promise<void> {
  const connection = await registerDock(api, 'FLOODS', 'dock2', 'FLOODS');
  const flood = new Flood(root, { connection, method: 'fairness_flood', perSecond: PER_SECOND, bytes: BYTES });
  try {
    const startedMs = performance.now();
    await setTimeout(WARM_UP_MS);
    await use();
    const { sent, cutOff } = flood.figures;
    if (cutOff > 0) throw new Problem('The flood was interrupted; these figures say nothing.');
    console.log(`  the flood sent ${((sent / (performance.now() - startedMs)) * 1_000).toFixed(0)} messages a second`);
  } finally {
    await flood.stop();
  }
}

/** It stands still with its connections open: the broker of messages does not see that it is gone. */
async function withoutLogService(stack: Stack, use: () => Promise<void>): Promise<void> {
  const logService = stack.process('log-service');
  logService.signal('SIGSTOP');
  try {
    await use();
  } finally {
    logService.signal('SIGCONT');
  }
}

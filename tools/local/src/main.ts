import { Problem } from './infrastructure/problem.js';

/** Every command of `tools/bootstrap.mjs`, loaded only when it is asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<(root: string, args: readonly string[]) => Promise<number>>>> = {
  start: async () => (await import('./commands/start.js')).start,
  inspect: async () => (await import('./commands/inspect.js')).inspect,
  sim: async () => (await import('./commands/sim.js')).sim,
  'bench-uplink': async () => (await import('./commands/bench-uplink.js')).benchUplink,
  'bench-cost': async () => (await import('./commands/bench-cost.js')).benchCost,
  'bench-air': async () => (await import('./commands/bench-air.js')).benchAir,
  'bench-fleet': async () => (await import('./commands/bench-fleet.js')).benchFleet,
  'bench-held': async () => (await import('./commands/bench-held.js')).benchHeld,
  'bench-herd': async () => (await import('./commands/bench-herd.js')).benchHerd,
  'bench-fairness': async () => (await import('./commands/bench-fairness.js')).benchFairness,
  'docs-api': async () => (await import('./commands/docs-api.js')).docsApi,
  'docs-missions': async () => (await import('./commands/docs-missions.js')).docsMissions,
  'docs-trace': async () => (await import('./commands/docs-trace.js')).docsTrace,
  replay: async () => (await import('./commands/replay.js')).replay,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  'storage-doctor': async () => (await import('./commands/storage-doctor.js')).storageDoctor,
  'bench-credentials': async () => (await import('./commands/bench-credentials.js')).benchCredentials,
  'test-storage': async () => (await import('./commands/test-storage.js')).testStorage,
  'test-deep': async () => (await import('./commands/test-deep.js')).testDeep,
  'test-outages': async () => (await import('./commands/test-outages.js')).testOutages,
  'test-upgrade': async () => (await import('./commands/test-upgrade.js')).testUpgrade,
  'test-replicas': async () => (await import('./commands/test-replicas.js')).testReplicas,
  'test-brokers': async () => (await import('./commands/test-brokers.js')).testBrokers,
  'test-walls': async () => (await import('./commands/test-walls.js')).testWalls,
  'test-hosts': async () => (await import('./commands/test-hosts.js')).testHosts,
  'test-fuzz': async () => (await import('./commands/test-fuzz.js')).testFuzz,
  'test-images': async () => (await import('./commands/test-images.js')).testImages,
  'check-deploy': async () => (await import('./commands/check-deploy.js')).checkDeploy,
  'check-supply': async () => (await import('./commands/check-supply.js')).checkSupply,
  'check-metrics': async () => (await import('./commands/check-metrics.js')).checkMetrics,
  'test-node': async () => (await import('./commands/test-node.js')).testNode,
  size: async () => (await import('./commands/size.js')).size,
  test: async () => (await import('./commands/test.js')).test,
  'drill-restore': async () => (await import('./commands/drill-restore.js')).drillRestore,
  down: async () => (await import('./commands/down.js')).down,
};

/** Runs one command and ends the process with its code. What the person has to do is said without a stack. */
export async function main(root: string, command: string, args: readonly string[]): Promise<void> {
  const load = COMMANDS[command];
  if (load === undefined) {
    console.error(`There is no command "${command}". There are: ${Object.keys(COMMANDS).join(', ')}.`);
    process.exit(2);
  }
  try {
    const run = await load();
    process.exit(await run(root, args));
  } catch (error) {
    console.error(error instanceof Problem ? `\n${error.message}` : error);
    process.exit(1);
  }
}

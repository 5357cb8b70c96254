import { test } from './test.js';

const DEFAULT_DOCKS = 100;

/**
 * The stories of replicas at their full length: each replica of each service is restarted, and killed, under load. One after
 * the other: a hundred docks and two of each service are all that a small machine bears.
 */
export async function testReplicas(root: string, [docks]: readonly string[]): Promise<number> {
  process.env['AERIE_REPLICA_DOCKS'] = docks ?? String(DEFAULT_DOCKS);
  const codes = [
    await test(root, ['scenario', '/replicas.scenario']),
    await test(root, ['scenario', 'replicas-of-all']),
  ];
  return Math.max(...codes);
}

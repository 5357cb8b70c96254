import { test } from './test.js';

const DEFAULT_DOCKS = 100;

/** The stories of replicas at their full length: each replica of each service is restarted, and killed, under load. */
export function testReplicas(root: string, [docks]: readonly string[]): Promise<number> {
  process.env['AERIE_REPLICA_DOCKS'] = docks ?? String(DEFAULT_DOCKS);
  return test(root, ['scenario', 'replicas']);
}

import { createHash } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';

/** What makes the repeat of a dock's message the same message: its tid, or what it says where it has none. */
export function messageIdOf({ tid, topic, raw }: DockFact): string {
  return tid ?? createHash('sha256').update(topic).update('\0').update(raw).digest('hex');
}

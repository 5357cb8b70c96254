import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Problem } from '../../infrastructure/problem.js';
import type { Stack } from '../../stack/stack.js';

const LOOK_EVERY_MS = 50;

/**
 * Waits until the stream holds so many messages of each dock: the broker confirms what the ingress has yet to store, and
 * a consumer that went on before all of it is stored would find no backlog, but a trickle.
 */
export async function untilStored(stack: Stack, sns: readonly string[], each: number, withinMs: number): Promise<void> {
  const { host, username, password } = new URL(stack.infrastructure.natsUrl);
  const nats = await connect({ servers: [host], user: username, pass: password });
  try {
    const { streams } = await jetstreamManager(nats);
    const endsMs = performance.now() + withinMs;
    for (;;) {
      const { state } = await streams.info('DOCK', { subjects_filter: 'dock.v1.>' });
      const stored = sns.map((sn) => messagesOf(sn, state.subjects ?? {}));
      if (stored.every((count) => count >= each)) return;
      if (performance.now() > endsMs) throw new Problem(`The stream holds ${stored.join(', ')} of ${each} messages.`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } finally {
    await nats.close();
  }
}

/** Of `dock.v1.<owner>.<sn>.…`. */
const messagesOf = (sn: string, subjects: Readonly<Record<string, number>>): number =>
  Object.entries(subjects)
    .filter(([subject]) => subject.split('.')[3] === sn)
    .reduce((sum, [, count]) => sum + count, 0);

import { runInTrace } from '@aerie/observability';
import type { Store } from './receive-uplink.js';
import { Together } from './together.js';

interface Waiting {
  readonly subject: string;
  readonly body: string;
  readonly messageId: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets what nobody waits for be stored a moment later, together with others: ingress, NATS and the readers are woken
 * once for all of them, which costs each more than the work on a message. Whatever may not wait takes along all that does.
 */
export class StoreTogether {
  private readonly together: Together<Waiting>;

  constructor(
    private readonly storeOne: Store,
    withinMs: number,
  ) {
    this.together = new Together<Waiting>(withinMs, (all) =>
      // Whoever takes them along is no reason for them.
      runInTrace(undefined, () => {
        for (const { subject, body, messageId, resolve, reject } of all) {
          void this.storeOne(subject, body, messageId).then(resolve, reject);
        }
      }),
    );
  }

  /** Resolves once it is stored, as `Store` does. */
  store(subject: string, body: string, messageId: string, mayWait: boolean): Promise<void> {
    if (mayWait) {
      return new Promise((resolve, reject) => {
        this.together.add({ subject, body, messageId, resolve, reject });
      });
    }
    this.hurry();
    return this.storeOne(subject, body, messageId);
  }

  /** Stores now whatever waits. */
  hurry(): void {
    this.together.flush();
  }
}

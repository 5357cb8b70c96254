import type { Logger } from '@aerie/observability';

/**
 * The order of a planned stop: nothing new comes in, calls in hand are answered, what they began ends, and what all of
 * it used is closed, storage last.
 */
const STAGES = ['intake', 'calls', 'work', 'connections', 'storage'] as const;
export type ShutdownStage = (typeof STAGES)[number];

interface Step {
  readonly stage: ShutdownStage;
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** Every adapter registers here how it stops, when it starts. One stage ends before the next begins. */
export class Shutdown {
  private readonly steps: Step[] = [];
  /** True from the moment a stop was asked for: not ready any more. */
  stopping = false;

  on(stage: ShutdownStage, name: string, run: () => Promise<unknown>): void {
    this.steps.push({ stage, name, run });
  }

  async run(logger: Logger): Promise<void> {
    this.stopping = true;
    for (const stage of STAGES) {
      await Promise.all(
        this.steps
          .filter((step) => step.stage === stage)
          .map(async ({ name, run }) => {
            try {
              await run();
            } catch (error) {
              logger.warn({ err: error, step: name }, 'failed to stop cleanly');
            }
          }),
      );
    }
  }
}

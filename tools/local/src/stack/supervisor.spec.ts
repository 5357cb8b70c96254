import { Supervisor } from './supervisor.js';

const PAUSES_MS = [1, 2, 4];

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A program that ends when it is told, and starts only when it may. */
function program(mayStart: (attempt: number) => boolean) {
  const state = { running: true, attempts: 0, restarts: 0, said: [] as string[] };
  const supervisor = new Supervisor<'postgres'>(
    {
      names: () => ['postgres'],
      isRunning: () => state.running,
      restart: async () => {
        state.attempts++;
        if (!mayStart(state.attempts)) throw new Error('the disk is full');
        state.running = true;
      },
      say: (text) => state.said.push(text),
      onRestarted: () => state.restarts++,
    },
    PAUSES_MS,
  );
  return { state, supervisor };
}

describe('a program that has ended', () => {
  it('is started again until it stays up, however often that fails', async () => {
    const { state, supervisor } = program((attempt) => attempt === 12);
    supervisor.start();
    state.running = false;

    await until(() => state.restarts === 1);
    await supervisor.stop();

    expect(state.attempts).toBe(12);
    expect(state.running).toBe(true);
  });

  it('is told about with the reason and the time of the next attempt, which comes later each time', async () => {
    const { state, supervisor } = program((attempt) => attempt === 3);
    supervisor.start();
    state.running = false;

    await until(() => state.restarts === 1);
    await supervisor.stop();

    expect(state.said).toEqual([
      'postgres has ended; starting it again',
      'failed to start postgres again, next attempt in 0.002 s: the disk is full',
      'failed to start postgres again, next attempt in 0.004 s: the disk is full',
      'postgres is up again',
    ]);
  });

  it('is left alone once everything is told to stop', async () => {
    const { state, supervisor } = program(() => false);
    supervisor.start();
    state.running = false;
    await until(() => state.attempts > 0);

    await supervisor.stop();
    const attempts = state.attempts;
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(state.attempts).toBe(attempts);
  });
});

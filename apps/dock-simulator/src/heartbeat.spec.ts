import { onHeartbeat } from './heartbeat.js';

describe('the heartbeat', () => {
  it('beats for everyone who asked, and no more once they let go', async () => {
    const beats = { first: 0, second: 0 };
    await new Promise<void>((resolve) => {
      const endFirst = onHeartbeat(() => {
        beats.first += 1;
        endFirst();
      });
      const endSecond = onHeartbeat(() => {
        beats.second += 1;
        if (beats.second < 3) return;
        endSecond();
        resolve();
      });
    });
    expect(beats).toEqual({ first: 1, second: 3 });
  });
});

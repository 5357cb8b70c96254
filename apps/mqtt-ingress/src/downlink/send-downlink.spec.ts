import type { SendAnswer, SendAsk } from '@aerie/bus-contract';
import { Metrics } from '@aerie/observability';
import type { DownlinkLink } from './downlink-link.js';
import { SendDownlink } from './send-downlink.js';

interface Written {
  readonly topic: string;
  readonly payload: Record<string, unknown>;
  readonly expirySeconds: number;
}

const NOW_MS = Date.UTC(2030, 0, 1);
const anAsk = (given: Partial<SendAsk> = {}): SendAsk => ({
  sn: 'DOCK-1',
  channel: 'services',
  method: 'flighttask_execute',
  tid: 'tid-1',
  bid: 'bid-1',
  data: { flight_id: 'f' },
  sentAtMs: NOW_MS,
  notAfterMs: NOW_MS + 5_000,
  ...given,
});

let written: Written[];
const send = (ask: SendAsk, answer: SendAnswer = { outcome: 'written' }): Promise<SendAnswer> => {
  const link: Pick<DownlinkLink, 'publish' | 'readWhatHasArrived'> = {
    readWhatHasArrived: async () => undefined,
    publish: async (topic, payload, expirySeconds) => {
      written.push({ topic, payload: JSON.parse(payload) as Record<string, unknown>, expirySeconds });
      return answer;
    },
  };
  return new SendDownlink(link as DownlinkLink, { nowMs: () => NOW_MS }, new Metrics('test')).send(ask);
};

beforeEach(() => {
  written = [];
});

describe('a message to a dock', () => {
  it('goes to the topic of its channel with the time of writing', async () => {
    await send(anAsk());
    expect(written).toMatchObject([
      {
        topic: 'thing/product/DOCK-1/services',
        payload: {
          tid: 'tid-1',
          bid: 'bid-1',
          timestamp: NOW_MS,
          method: 'flighttask_execute',
          data: { flight_id: 'f' },
        },
      },
    ]);
  });

  it('expires when its time is over, in whole seconds rounded down', async () => {
    await send(anAsk({ notAfterMs: NOW_MS + 4_999 }));
    expect(written[0]?.expirySeconds).toBe(4);
  });

  it('has the outcome that the connection gives it', async () => {
    expect(await send(anAsk(), { outcome: 'unknown', reason: 'no PUBACK' })).toEqual({
      outcome: 'unknown',
      reason: 'no PUBACK',
    });
  });

  it.each([
    ['at its deadline', { notAfterMs: NOW_MS }],
    ['after its deadline', { notAfterMs: NOW_MS - 1 }],
    ['by a clock that is more than a second behind', { sentAtMs: NOW_MS + 1_001 }],
    ['that is too large', { data: { text: 'x'.repeat(256 * 1024) } }],
    ['that is too large in bytes and not in characters', { data: { text: 'é'.repeat(200 * 1024) } }],
  ])('is refused and not written %s', async (_what, given) => {
    expect([(await send(anAsk(given))).outcome, written]).toEqual(['refused', []]);
  });

  it('is still written a whole second before its deadline', async () => {
    expect((await send(anAsk({ notAfterMs: NOW_MS + 1_000 }))).outcome).toBe('written');
  });

  it('is refused in the last second, in which the broker could deliver it too late', async () => {
    const ask = anAsk({ channel: 'services', notAfterMs: NOW_MS + 999 });
    expect(await send(ask)).toEqual({ outcome: 'refused', reason: 'too late' });
  });

  it('is still written by a clock that is a second behind', async () => {
    expect((await send(anAsk({ sentAtMs: NOW_MS + 1_000 }))).outcome).toBe('written');
  });
});

import type { SendAnswer, SendAsk } from '@aerie/bus-contract';
import { type JsonObject, composeEnvelope, topicFor } from '@aerie/dji-protocol';
import type { Clock } from '@aerie/kernel';
import { type Metrics, isTracing, traced } from '@aerie/observability';
import type { DownlinkLink } from './downlink-link.js';

/** A clock that is further behind the sender's cannot judge the deadline. */
const CLOCK_TOLERANCE_MS = 1_000;
const MAX_PAYLOAD_BYTES = 256 * 1024;

/**
 * Writes one message, now or never. The clock and the connection are looked at as the last thing before the bytes are
 * handed over; after that point nothing is ever called refused, unless the broker itself says so.
 */
export class SendDownlink {
  private readonly sends;

  constructor(
    private readonly link: DownlinkLink,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.sends = metrics.counter('ingress_sends_total', 'Messages to docks by outcome.', ['channel', 'outcome']);
  }

  async send(ask: SendAsk): Promise<SendAnswer> {
    const answer = await (isTracing() ? this.writeTraced(ask) : this.write(ask));
    this.sends.inc({ channel: ask.channel, outcome: answer.outcome });
    return answer;
  }

  private writeTraced(ask: SendAsk): Promise<SendAnswer> {
    const { sn, channel, method, tid } = ask;
    const attributes = {
      ...{ 'messaging.system': 'mqtt', 'aerie.dock.sn': sn, 'aerie.dock.channel': channel },
      ...{ 'aerie.dock.method': method, 'aerie.tid': tid },
    };
    return traced({ name: `write ${channel} ${method ?? ''}`.trim(), kind: 'producer', attributes }, async (span) => {
      const answer = await this.write(ask);
      span?.set({ 'aerie.outcome': answer.outcome });
      return answer;
    });
  }

  private async write({ sn, channel, method, tid, bid, data, sentAtMs, notAfterMs }: SendAsk): Promise<SendAnswer> {
    const topic = topicFor(channel, sn);
    await this.link.readWhatHasArrived();
    const nowMs = this.clock.nowMs();
    const payload = JSON.stringify(composeEnvelope({ tid, bid, timestampMs: nowMs, method, data: data as JsonObject }));
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES)
      return { outcome: 'refused', reason: 'the message is too large' };
    if (nowMs < sentAtMs - CLOCK_TOLERANCE_MS) {
      return { outcome: 'refused', reason: `the clock of the ingress is ${sentAtMs - nowMs} ms behind` };
    }
    if (nowMs >= notAfterMs) return { outcome: 'refused', reason: 'too late' };
    const remainingSeconds = Math.floor((notAfterMs - nowMs) / 1_000);
    // MQTT counts in whole seconds: with less than one left, a command could be delivered after its time.
    if (channel === 'services' && remainingSeconds < 1) return { outcome: 'refused', reason: 'too late' };
    // Whole seconds that remain: rounded down, because a broker may deliver in the last of them.
    return this.link.publish(topic, payload, Math.max(1, remainingSeconds), channel === 'services');
  }
}

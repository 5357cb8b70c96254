import type { Finding } from '@aerie/kernel';

const WHAT = 'the MQTT broker';

/** What a broker grants in its CONNACK; what is missing has the value that MQTT 5 says. [MQTT5-3.2.2.3] */
export interface Connack {
  readonly sessionExpiryInterval?: number | undefined;
  readonly receiveMaximum?: number | undefined;
  readonly maximumQoS?: number | undefined;
  readonly retainAvailable?: boolean | undefined;
  readonly maximumPacketSize?: number | undefined;
  readonly wildcardSubscriptionAvailable?: boolean | undefined;
  readonly sharedSubscriptionAvailable?: boolean | undefined;
  readonly serverKeepAlive?: number | undefined;
}

export interface BrokerNeeds {
  /** Subscriptions that share messages with other replicas, and filters with `+`. */
  readonly sharedSubscriptions: boolean;
  /** The largest packet that is sent. */
  readonly packetBytes: number;
  readonly sessionExpirySeconds: number;
  /** As it was asked for. */
  readonly keepaliveSeconds: number;
  /** Publishes that wait for their PUBACK at a time; with fewer, commands wait for each other. */
  readonly inFlight: number;
}

export function brokerFindings(connack: Connack, needs: BrokerNeeds): Finding[] {
  const findings: Finding[] = [];
  const find = (field: string, message: string, isError = true): void =>
    void findings.push({ what: WHAT, field, message, isError });

  if (needs.sharedSubscriptions && connack.sharedSubscriptionAvailable === false) {
    find('shared subscriptions', 'are not available, and replicas share messages by them: allow $share/');
  }
  if (needs.sharedSubscriptions && connack.wildcardSubscriptionAvailable === false) {
    find('wildcard subscriptions', 'are not available: allow filters with +');
  }
  if (connack.maximumQoS === 0)
    find('maximum QoS', 'is 0, and messages have to be acknowledged: allow QoS 1 (max_qos)');
  if (needs.sharedSubscriptions && connack.retainAvailable === false) {
    find(
      'retain',
      'is not available: docks may set the flag, and the broker would cut them off (retain_available)',
      false,
    );
  }
  const { maximumPacketSize: packet, sessionExpiryInterval: expiry, receiveMaximum: inFlight } = connack;
  if (packet !== undefined && packet < needs.packetBytes) {
    find('maximum packet size', `is ${packet} bytes, and ${needs.packetBytes} are sent: raise it (max_packet_size)`);
  }
  if (expiry !== undefined && expiry < needs.sessionExpirySeconds) {
    const message = `is ${expiry} s, and ${needs.sessionExpirySeconds} s were asked for: what docks send meanwhile would be lost; raise it`;
    find('session expiry interval', message);
  }
  if (connack.serverKeepAlive !== undefined && connack.serverKeepAlive > needs.keepaliveSeconds) {
    const message = `is ${connack.serverKeepAlive} s, and ${needs.keepaliveSeconds} s were asked for: a lost connection is noticed later`;
    find('server keep alive', message, false);
  }
  if (inFlight !== undefined && inFlight < needs.inFlight) {
    find('receive maximum', `is ${inFlight}, and ${needs.inFlight} is better: raise it (max_inflight_messages)`, false);
  }
  return findings;
}

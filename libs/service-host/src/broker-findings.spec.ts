import { type Connack, brokerFindings } from './broker-findings.js';

const NEEDS = {
  ...{ sharedSubscriptions: true, packetBytes: 1_000, sessionExpirySeconds: 3_600, keepaliveSeconds: 5, inFlight: 20 },
};
const told = (connack: Connack): string[] =>
  brokerFindings(connack, NEEDS).map(({ field, isError }) => `${isError ? 'error' : 'warning'}: ${field}`);

describe('what a broker grants', () => {
  it('is all that we need where it says nothing, as MQTT 5 has it', () => {
    expect(told({})).toEqual([]);
    expect(told({ sharedSubscriptionAvailable: true, maximumQoS: 1, maximumPacketSize: 1_000 })).toEqual([]);
    expect(told({ sessionExpiryInterval: 3_600, receiveMaximum: 20, serverKeepAlive: 5 })).toEqual([]);
  });

  it.each<[string, Connack]>([
    ['error: shared subscriptions', { sharedSubscriptionAvailable: false }],
    ['error: wildcard subscriptions', { wildcardSubscriptionAvailable: false }],
    ['error: maximum QoS', { maximumQoS: 0 }],
    ['error: maximum packet size', { maximumPacketSize: 999 }],
    ['error: session expiry interval', { sessionExpiryInterval: 3_599 }],
    ['warning: retain', { retainAvailable: false }],
    ['warning: server keep alive', { serverKeepAlive: 6 }],
    ['warning: receive maximum', { receiveMaximum: 19 }],
  ])('is too little: %s', (finding, connack) => {
    expect(told(connack)).toEqual([finding]);
  });
});

import type { Finding } from '@aerie/kernel';
import { brokerFindings } from '@aerie/service-host';
import { type BrokerLogin, openSession } from './session.js';

/** 256 KiB of a command, its topic and properties. */
const LARGEST_PACKET_BYTES = 257 * 1024;
/** As mosquitto has it by default. */
const IN_FLIGHT = 20;

/**
 * Asks the broker for what the control connections ask for, by a connection of its own, and reads what it grants. Rejects
 * while the broker is away.
 */
export async function examineBroker(
  login: BrokerLogin,
  ingressId: string,
  sessionExpirySeconds: number,
): Promise<Finding[]> {
  let findings: Finding[] = [];
  const client = await openSession({
    login,
    clientId: `aerie-ingress-${ingressId}-boot`,
    sessionExpirySeconds,
    onGranted: (connack) => {
      findings = brokerFindings(connack, {
        ...{ sharedSubscriptions: true, packetBytes: LARGEST_PACKET_BYTES, inFlight: IN_FLIGHT },
        ...{ sessionExpirySeconds, keepaliveSeconds: login.keepaliveSeconds },
      });
    },
  });
  // Nothing of it is kept.
  await client.endAsync(false, { properties: { sessionExpiryInterval: 0 } });
  return findings;
}

import { decodeMessage } from './decode.js';
import { isJsonObject } from './payload.js';

/**
 * Reads one line of a capture, `{"topic":…,"payload":…}` with the payload as object or as raw text, and says what this
 * library makes of it. Printed placeholders stand for serial numbers here, since captures come from documents too.
 * Never throws.
 */
export function inspectLine(line: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return refused('line is not JSON');
  }
  if (!isJsonObject(parsed)) return refused('line: expected a JSON object');
  const { topic, payload } = parsed;
  if (topic === undefined) return refused('topic is missing');
  if (typeof topic !== 'string') return refused('topic: expected a string');
  if (payload === undefined) return refused('payload is missing');
  if (typeof payload !== 'string' && !isJsonObject(payload)) return refused('payload: expected a JSON object');

  const message = decodeMessage({ topic, payload, allowPlaceholders: true });
  if (!message.accepted) return refused(message.reason);
  const { channel, direction, sn, method, tid, bid, timestampMs, needReply, data } = message;
  return { accepted: true, channel, direction, sn, method, tid, bid, timestampMs, needReply, data };
}

const refused = (reason: string): object => ({ accepted: false, reason });

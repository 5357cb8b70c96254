import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Secret, isSerialNumber } from '@aerie/kernel';
import type { Logger, Metrics } from '@aerie/observability';
import { z } from 'zod';
import type { AskedBroker } from './asked-broker.js';

/** No question of a broker is near this. */
const MAX_BODY_BYTES = 8 * 1024;
/** The longest password that a broker passes on; ours have 43 letters. */
const MAX_PASSWORD = 1_024;
/** The longest topic that MQTT knows. [MQTT 5, 1.5.4] */
const MAX_TOPIC = 65_535;

const user = z.string().refine(isSerialNumber);
const authentication = z.object({
  username: user,
  clientid: z.string().max(256),
  password: z.string().min(1).max(MAX_PASSWORD),
});
const authorization = z.object({
  username: user,
  action: z.enum(['publish', 'subscribe']),
  topic: z.string().min(1).max(MAX_TOPIC),
});

/** The paths at which a broker asks. They are not part of the API: nothing routes to them from outside. */
export const BROKER_PATHS = { authentication: '/broker/v1/authentication', authorization: '/broker/v1/authorization' };

type Next = () => void;
export type BrokerDoor = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * Answers a broker's questions about docks, as EMQX asks over HTTP: `{"result": "allow" | "deny"}`. Whoever has not the secret
 * gets 401; a question that cannot be read, or that we fail to answer, is a refusal. Denied is all that is not allowed.
 */
export function brokerDoor(broker: AskedBroker, secret: Secret, metrics: Metrics, logger: Logger): BrokerDoor {
  const answers = metrics.counter('fleet_broker_answers_total', 'Questions of the broker about docks.', [
    'question',
    'result',
  ]);
  const decide = async (path: string, body: unknown): Promise<boolean> => {
    if (path === BROKER_PATHS.authentication) {
      const asked = authentication.safeParse(body);
      if (!asked.success) return false;
      return broker.mayConnect(asked.data.username, asked.data.clientid, asked.data.password);
    }
    const asked = authorization.safeParse(body);
    return asked.success && broker.may(asked.data.username, asked.data.action, asked.data.topic);
  };
  const answer = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isAllowed = await bodyOf(request)
      .then((body) => decide(path, body))
      .catch((error: unknown) => {
        logger.warn({ err: error, path }, 'failed to answer the broker');
        return false;
      });
    const result = isAllowed ? 'allow' : 'deny';
    answers.inc({ question: path === BROKER_PATHS.authentication ? 'authentication' : 'authorization', result });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(path === BROKER_PATHS.authentication ? { result, is_superuser: false } : { result }));
  };
  return (request, response, next) => {
    const path = Object.values(BROKER_PATHS).find((each) => each === request.url);
    if (path === undefined || request.method !== 'POST') return next();
    if (!knows(request.headers.authorization, secret)) {
      response.writeHead(401, { 'content-type': 'application/json', connection: 'close' });
      return void response.end('{"result":"deny"}');
    }
    void answer(path, request, response);
  };
}

function knows(header: string | undefined, secret: Secret): boolean {
  const [sent, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${secret.reveal()}`)];
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`a question of over ${MAX_BODY_BYTES} bytes`);
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}

import type { Question } from '@aerie/bus-contract';
import { InvalidError, UnavailableError, schemaProblems, withoutWords } from '@aerie/kernel';
import { type OpenSpan, traced } from '@aerie/observability';
import { type Msg, errors } from '@nats-io/transport-node';
import { z } from 'zod';
import type { NatsConnection } from './connection.js';
import { traceHeaders } from './trace-headers.js';
import { noteUnknownFields } from './unknown-fields.js';

/** Why no answer came. `noResponders` is the only one that proves that nobody has seen the question. */
export class NoAnswerError extends UnavailableError {
  constructor(
    readonly noResponders: boolean,
    subject: string,
    cause: unknown,
  ) {
    super('no_answer', `failed to ask ${subject}`, { cause });
  }
}

/** The packet of Nest's NATS transport, which answers our questions. */
const answerPacket = z.object({ response: z.unknown(), err: z.unknown() }).partial();

/** The answer in a packet of Nest's; null where it only says that there are no more of them. Throws `NoAnswerError`. */
export function answerIn<Ask, Answer>(
  { subject, answer: schema }: Question<Ask, Answer>,
  message: Pick<Msg, 'json'>,
): Answer | null {
  const packet = answerPacket.parse(message.json());
  if (packet.err !== undefined) throw new NoAnswerError(false, subject, packet.err);
  if (packet.response === undefined) return null;
  const answer = schema.safeParse(packet.response);
  if (!answer.success) throw new NoAnswerError(false, subject, answer.error);
  noteUnknownFields(subject, packet.response, answer.data);
  return answer.data;
}

let sequence = 0;

/** Asks another service and checks its answer. Never repeats by itself: only the asker knows whether that is harmless. */
export async function ask<Ask, Answer>(
  connection: NatsConnection,
  question: Question<Ask, Answer>,
  data: Ask,
): Promise<Answer> {
  const { subject } = question;
  const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': subject };
  return traced({ name: `ask ${subject}`, kind: 'client', attributes }, (span) =>
    askIn(connection, question, data, span),
  );
}

async function askIn<Ask, Answer>(
  connection: NatsConnection,
  question: Question<Ask, Answer>,
  data: Ask,
  span: OpenSpan | undefined,
): Promise<Answer> {
  const { subject, timeoutMs } = question;
  const id = `${process.pid}-${++sequence}`;
  let answer: Answer | null;
  try {
    const packet = JSON.stringify({ pattern: subject, data, id });
    const options = { timeout: timeoutMs, ...traceHeaders(span?.context) };
    answer = answerIn(question, await connection.request(subject, packet, options));
  } catch (error) {
    if (error instanceof NoAnswerError) throw error;
    throw new NoAnswerError(isNoResponders(error), subject, error);
  }
  if (answer === null) throw new NoAnswerError(false, subject, new Error('an answer without content'));
  return answer;
}

/** Checks what was asked, for the answering side. */
export function readAsk<Ask, Answer>(question: Question<Ask, Answer>, data: unknown): Ask {
  const parsed = question.ask.safeParse(data, { error: withoutWords });
  if (parsed.success) {
    noteUnknownFields(question.subject, data, parsed.data);
    return parsed.data;
  }
  throw new InvalidError('invalid_question', `failed to read a question on ${question.subject}`, {
    fields: schemaProblems(parsed.error.issues, { input: data, what: 'question' }),
  });
}

function isNoResponders(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  return error instanceof errors.RequestError && error.isNoResponders();
}

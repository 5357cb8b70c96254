import type { Question } from '@aerie/bus-contract';
import type { NatsConnection } from '../connection.js';

/** Answers in the packets of Nest's NATS transport, as `ask` reads them. */
export function answer<Ask, Answer>(
  connection: NatsConnection,
  { subject }: Question<Ask, Answer>,
  respond: (data: Ask) => Answer,
): void {
  connection.subscribe(subject, {
    callback: (_error, message) => {
      const { data, id } = message.json<{ data: Ask; id: string }>();
      message.respond(JSON.stringify({ response: respond(data), isDisposed: true, id }));
    },
  });
}

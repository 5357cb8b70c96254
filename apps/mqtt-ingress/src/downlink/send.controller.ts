import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, NatsContext, Payload } from '@nestjs/microservices';
import { type SendAnswer, type SendAsk, sendManyQuestion, sendQuestion } from '@aerie/bus-contract';
import { type ReceivedHeaders, readAsk, readTraces } from '@aerie/messaging';
import { runInTrace } from '@aerie/observability';
import { type Observable, from, map, mergeMap } from 'rxjs';
import { SendDownlink } from './send-downlink.js';

@Controller()
export class SendController {
  constructor(private readonly sendDownlink: SendDownlink) {}

  @MessagePattern(sendQuestion.subject)
  send(@Payload() data: unknown): Promise<SendAnswer> {
    return this.sendDownlink.send(readAsk(sendQuestion, data));
  }

  /** All of them are handed to the connection in this turn, in their order; each answer leaves when the broker has spoken. */
  @MessagePattern(sendManyQuestion.subject)
  sendMany(
    @Payload() data: unknown,
    @Ctx() context: NatsContext,
  ): Observable<{ readonly index: number; readonly answer: SendAnswer }> {
    const traces = readTraces(context.getHeaders() as ReceivedHeaders | undefined);
    const send = (item: SendAsk, index: number): Promise<SendAnswer> =>
      runInTrace(traces[index], () => this.sendAlone(item));
    return from(readAsk(sendManyQuestion, data).items.entries()).pipe(
      mergeMap(([index, item]) => from(send(item, index)).pipe(map((answer) => ({ index, answer })))),
    );
  }

  /** What cannot be written for a reason of its own says nothing about the others of its question. */
  private sendAlone(item: SendAsk): Promise<SendAnswer> {
    return this.sendDownlink.send(item).catch((error: unknown) => ({
      outcome: 'unknown' as const,
      reason: error instanceof Error ? error.message : 'it could not be written',
    }));
  }
}

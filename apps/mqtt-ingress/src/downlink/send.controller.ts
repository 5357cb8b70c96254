import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { type SendAnswer, sendManyQuestion, sendQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
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
  sendMany(@Payload() data: unknown): Observable<{ readonly index: number; readonly answer: SendAnswer }> {
    return from(readAsk(sendManyQuestion, data).items.entries()).pipe(
      mergeMap(([index, item]) => from(this.sendDownlink.send(item)).pipe(map((answer) => ({ index, answer })))),
    );
  }
}

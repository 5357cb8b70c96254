import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { type SendAnswer, sendQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { SendDownlink } from './send-downlink.js';

@Controller()
export class SendController {
  constructor(private readonly sendDownlink: SendDownlink) {}

  @MessagePattern(sendQuestion.subject)
  send(@Payload() data: unknown): Promise<SendAnswer> {
    return this.sendDownlink.send(readAsk(sendQuestion, data));
  }
}

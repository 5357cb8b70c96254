import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { releaseDockQuestion, takeDockQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { RefusalFilter } from '@aerie/service-host';
import { DockHolds } from './missions/dock-holds/dock-holds.js';

/** What other services ask: who has a dock. */
@Controller()
@UseFilters(RefusalFilter)
export class QuestionsController {
  constructor(private readonly docks: DockHolds) {}

  @MessagePattern(takeDockQuestion.subject)
  take(@Payload() data: unknown) {
    return this.docks.take(readAsk(takeDockQuestion, data));
  }

  @MessagePattern(releaseDockQuestion.subject)
  async release(@Payload() data: unknown) {
    return { released: await this.docks.release(readAsk(releaseDockQuestion, data)) };
  }
}

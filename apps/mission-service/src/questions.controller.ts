import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { cutOffDockQuestion, endCutOffQuestion, releaseDockQuestion, takeDockQuestion } from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { RefusalFilter } from '@aerie/service-host';
import { CutOffs } from './missions/dock-holds/cut-offs.js';
import { DockHolds } from './missions/dock-holds/dock-holds.js';

/** What other services ask: who has a dock, and whether it may be cut off. */
@Controller()
@UseFilters(RefusalFilter)
export class QuestionsController {
  constructor(
    private readonly docks: DockHolds,
    private readonly cutOffs: CutOffs,
  ) {}

  @MessagePattern(takeDockQuestion.subject)
  take(@Payload() data: unknown) {
    return this.docks.take(readAsk(takeDockQuestion, data));
  }

  @MessagePattern(releaseDockQuestion.subject)
  async release(@Payload() data: unknown) {
    return { released: await this.docks.release(readAsk(releaseDockQuestion, data)) };
  }

  @MessagePattern(cutOffDockQuestion.subject)
  cutOff(@Payload() data: unknown) {
    return this.cutOffs.grant(readAsk(cutOffDockQuestion, data));
  }

  @MessagePattern(endCutOffQuestion.subject)
  async endCutOff(@Payload() data: unknown) {
    return { ended: await this.cutOffs.end(readAsk(endCutOffQuestion, data)) };
  }
}

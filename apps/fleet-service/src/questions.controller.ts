import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  apiKeyQuestion,
  dockQuestion,
  dockStateQuestion,
  docksQuestion,
  findDocksQuestion,
  speakersQuestion,
} from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { ApiKeyStore } from './api-keys/api-key.store.js';
import { DockStates } from './dock-state/dock-states.js';
import { DockPositions } from './docks/dock-positions.js';
import { DockStore } from './docks/dock.store.js';

/** What other services ask about docks and keys. */
@Controller()
export class QuestionsController {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly docks: DockStore,
    private readonly states: DockStates,
    private readonly positions: DockPositions,
  ) {}

  @MessagePattern(apiKeyQuestion.subject)
  async verifyKey(@Payload() data: unknown) {
    return { principal: await this.keys.verify(readAsk(apiKeyQuestion, data).key) };
  }

  @MessagePattern(dockQuestion.subject)
  async dock(@Payload() data: unknown) {
    return { dock: await this.docks.speakerFor(readAsk(dockQuestion, data).sn) };
  }

  @MessagePattern(speakersQuestion.subject)
  async speakers(@Payload() data: unknown) {
    const speakers = await this.docks.speakersFor(readAsk(speakersQuestion, data).sns);
    return { speakers: [...speakers].map(([sn, dockSn]) => ({ sn, dockSn })) };
  }

  @MessagePattern(docksQuestion.subject)
  async manyDocks(@Payload() data: unknown) {
    return { docks: await this.docks.records(readAsk(docksQuestion, data).sns) };
  }

  @MessagePattern(findDocksQuestion.subject)
  async findDocks(@Payload() data: unknown) {
    return { docks: await this.docks.search(readAsk(findDocksQuestion, data)) };
  }

  @MessagePattern(dockStateQuestion.subject)
  async dockStates(@Payload() data: unknown) {
    const { sns, properties } = readAsk(dockStateQuestion, data);
    const [views, positions] = await Promise.all([this.states.read(sns, properties), this.positions.of(sns)]);
    return {
      docks: views.map((view) => {
        const position = positions.get(view.sn);
        return position === undefined ? view : { ...view, position };
      }),
    };
  }
}

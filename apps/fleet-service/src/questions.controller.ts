import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import {
  ROLES,
  apiKeyQuestion,
  dockQuestion,
  dockStateQuestion,
  docksQuestion,
  findDocksQuestion,
  keyMakersQuestion,
  principalQuestion,
  speakersQuestion,
} from '@aerie/bus-contract';
import { readAsk } from '@aerie/messaging';
import { Bearers } from './sessions/bearers.js';
import { ApiKeyStore } from './api-keys/api-key.store.js';
import { DockStates } from './dock-state/dock-states.js';
import { DockPositions } from './docks/dock-positions.js';
import { DocksOfAll } from './docks/dock.store.js';

/** What other services ask about docks, keys and sessions. */
@Controller()
export class QuestionsController {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly bearers: Bearers,
    private readonly docks: DocksOfAll,
    private readonly states: DockStates,
    private readonly positions: DockPositions,
  ) {}

  @MessagePattern(apiKeyQuestion.subject)
  async verifyKey(@Payload() data: unknown) {
    const holder = await this.keys.verify(readAsk(apiKeyQuestion, data).key, '');
    // Who asks this knows no roles.
    if (holder === null || !ROLES.every((role) => holder.principal.roles.includes(role))) return { principal: null };
    const { keyId, organisationId } = holder.principal;
    return { principal: { keyId, organisationId } };
  }

  @MessagePattern(principalQuestion.subject)
  async principal(@Payload() data: unknown) {
    const { key, address } = readAsk(principalQuestion, data);
    const holder = await this.bearers.find(key, address);
    return { principal: holder === null ? null : { ...holder.principal, validForMs: holder.validForMs } };
  }

  @MessagePattern(keyMakersQuestion.subject)
  async keyMakers(@Payload() data: unknown) {
    const { organisationId, keyIds } = readAsk(keyMakersQuestion, data);
    const makers = await this.keys.makers(organisationId, keyIds);
    return { keys: [...makers].map(([keyId, personIds]) => ({ keyId, personIds })) };
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

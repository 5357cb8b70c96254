import { Controller, Get, Headers, Param, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readInput } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { z } from 'zod';
import { unknownMission } from '../views/unknown-mission.js';
import { MissionReadModel } from '../views/mission.read-model.js';

const NDJSON = 'application/x-ndjson';
export const timelineQuery = z.object({
  format: z
    .enum(['json', 'ndjson'])
    .optional()
    .describe('ndjson: one entry on each line, a file for `npm run replay`.'),
});

/** What happened to a mission, and why. */
@Controller('api/v1/missions/:id')
@UseGuards(ApiKeyGuard)
export class HistoryController {
  constructor(private readonly missions: MissionReadModel) {}

  /** Everything that happened to the mission, oldest first: messages, timers, decisions, refusals, as long as it is kept. */
  @Get('timeline')
  async timeline(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: unknown,
    @Headers('accept') accept: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const { format } = readInput(timelineQuery, query, 'query');
    const timeline = await found(id, () => this.missions.timeline(caller, id));
    if (format !== 'ndjson' && (format === 'json' || accept?.includes(NDJSON) !== true)) {
      response.json(timeline);
      return;
    }
    // The type last: an attachment guesses one from the name of the file.
    response.attachment(`mission-${id}.ndjson`).type(NDJSON);
    response.send(timeline.items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  }

  /** Every report of the flight, oldest first. */
  @Get('track')
  track(@Caller() caller: Principal, @Param('id') id: string) {
    return found(id, () => this.missions.track(caller, id));
  }

  /** The last go or no-go of each stage, rule by rule. */
  @Get('preflight')
  preflight(@Caller() caller: Principal, @Param('id') id: string) {
    return found(id, () => this.missions.preflight(caller, id));
  }

  /** Every command that was sent to the dock for the mission, and the dock's answer. */
  @Get('commands')
  commands(@Caller() caller: Principal, @Param('id') id: string) {
    return found(id, () => this.missions.commands(caller, id));
  }

  /** Every place where the flight stopped. */
  @Get('breakpoints')
  breakPoints(@Caller() caller: Principal, @Param('id') id: string) {
    return found(id, () => this.missions.breakPoints(caller, id));
  }
}

async function found<Thing>(id: string, look: () => Promise<Thing | undefined>): Promise<Thing> {
  const thing = isUuid(id) ? await look() : undefined;
  if (thing === undefined) throw unknownMission(id);
  return thing;
}

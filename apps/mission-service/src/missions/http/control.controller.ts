import { Body, Controller, Headers, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readIfMatch, readInput, AuditedWithItsChange } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { CommandParameters } from '../advance-mission.js';
import { returnToDock, why } from './mission.input.js';
import { unknownMission } from '../views/unknown-mission.js';
import { type ControlAccepted, ControlMission } from '../control/control-mission.js';
import type { ControlAction } from '../control/controls.js';

/** What was asked for, by whom and under which precondition. */
interface Asked {
  readonly caller: Principal;
  readonly id: string;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
}

/**
 * Commands to a flight. The answer is 202 once the command is recorded and on its way; what became of it shows in the
 * mission's commands, and what the dock does about it in the mission's state.
 */
@Controller('api/v1/missions/:id')
@UseGuards(ApiKeyGuard)
export class ControlController {
  constructor(private readonly controlMission: ControlMission) {}

  @Post('pause')
  @HttpCode(202)
  @AuditedWithItsChange()
  pause(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('pause', { caller, id, body, ifMatch });
  }

  @Post('resume')
  @HttpCode(202)
  @AuditedWithItsChange()
  resume(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('resume', { caller, id, body, ifMatch });
  }

  @Post('return-home')
  @HttpCode(202)
  @AuditedWithItsChange()
  returnHome(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('return-home', { caller, id, body, ifMatch });
  }

  @Post('cancel-return-home')
  @HttpCode(202)
  @AuditedWithItsChange()
  cancelReturnHome(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('cancel-return-home', { caller, id, body, ifMatch });
  }

  @Post('return-to-dock')
  @HttpCode(202)
  @AuditedWithItsChange()
  async returnToDock(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    const { dockSn, reason } = readInput(returnToDock, body);
    const asked = { caller, id, body: reason === undefined ? {} : { reason }, ifMatch };
    return this.ask('return-to-dock', asked, { homeDockSn: dockSn });
  }

  @Post('stop')
  @HttpCode(202)
  @AuditedWithItsChange()
  stop(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('stop', { caller, id, body, ifMatch });
  }

  @Post('abort-setup')
  @HttpCode(202)
  @AuditedWithItsChange()
  abortSetup(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<ControlAccepted> {
    return this.ask('abort-setup', { caller, id, body, ifMatch });
  }

  private async ask(
    action: ControlAction,
    { caller, id, body, ifMatch }: Asked,
    parameters: CommandParameters = {},
  ): Promise<ControlAccepted> {
    const { reason = null } = readInput(why, body ?? {});
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.controlMission.execute(caller, id, { action, reason, version, parameters });
  }
}

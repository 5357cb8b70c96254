import { Body, Controller, Get, Headers, Put, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, etagOf, readIfMatch } from '@aerie/http-api';
import { type Response } from 'express';
import { ChangePolicy } from './change-policy.js';
import { readPolicyInput } from './policy.input.js';
import { type Policy, PolicyStore } from './policy.store.js';

/** What the organisation has decided for all its missions: limits of preflight, and when a flight goes on by itself. */
@Controller('api/v1/mission-policy')
@UseGuards(ApiKeyGuard)
export class PolicyController {
  constructor(
    private readonly policies: PolicyStore,
    private readonly changePolicy: ChangePolicy,
  ) {}

  @Get()
  async find(@Caller() caller: Principal, @Res({ passthrough: true }) response: Response): Promise<Policy> {
    const policy = await this.policies.of(caller.organisationId);
    response.setHeader('ETag', etagOf(policy.version));
    return policy;
  }

  /** Replaces the policy; what is left out is back at its default. Works for every start from now on. */
  @Put()
  replace(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Policy> {
    return this.changePolicy.execute(caller, readPolicyInput(body), readIfMatch(ifMatch));
  }
}

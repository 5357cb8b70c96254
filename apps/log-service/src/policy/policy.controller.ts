import { Body, Controller, Get, Headers, Put, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, etagOf, readIfMatch, readInput } from '@aerie/http-api';
import { type Response } from 'express';
import { ChangePolicy } from './change-policy.js';
import { type Policy, PolicyStore } from './policy.store.js';
import { policyInput } from './policy.schema.js';

/** What the organisation has decided for all its logs. */
@Controller('api/v1/log-policy')
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

  /** Replaces the policy; what is left out is back at its default. */
  @Put()
  replace(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Policy> {
    return this.changePolicy.execute(caller, readInput(policyInput, body), readIfMatch(ifMatch));
  }
}

import { Body, Controller, Get, Headers, Put, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readIfMatch, AuditedWithItsChange } from '@aerie/http-api';
import { ChangePolicy } from '../policy/change-policy.js';
import { readPolicyInput } from './policy.input.js';
import { type Policy, PolicyStore } from '../store/policy.store.js';

/** What the organisation has decided for all its missions: limits of preflight, and when a flight goes on by itself. */
@Controller('api/v1/mission-policy')
@UseGuards(ApiKeyGuard)
export class PolicyController {
  constructor(
    private readonly policies: PolicyStore,
    private readonly changePolicy: ChangePolicy,
  ) {}

  @Get()
  find(@Caller() caller: Principal): Promise<Policy> {
    return this.policies.of(caller.organisationId);
  }

  /** Replaces the policy; what is left out is back at its default. Works for every start from now on, approval for new missions. */
  @Put()
  @AuditedWithItsChange()
  replace(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Policy> {
    return this.changePolicy.execute(caller, readPolicyInput(body), readIfMatch(ifMatch));
  }
}

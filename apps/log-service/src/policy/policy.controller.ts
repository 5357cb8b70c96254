import { Body, Controller, Get, Headers, Put, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readIfMatch, readInput, AuditedWithItsChange } from '@aerie/http-api';
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
  find(@Caller() caller: Principal): Promise<Policy> {
    return this.policies.of(caller.organisationId);
  }

  /** Replaces the policy; what is left out is back at its default. */
  @Put()
  @AuditedWithItsChange()
  replace(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<Policy> {
    return this.changePolicy.execute(caller, readInput(policyInput, body), readIfMatch(ifMatch));
  }
}

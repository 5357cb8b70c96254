import { Body, Controller, Post, Req } from '@nestjs/common';
import { AuditTrail, readInput } from '@aerie/http-api';
import type { Request } from 'express';
import { personEntry } from '../audit/person-entry.js';
import { Join, type Joined } from './join.js';
import { memberView } from './people.controller.js';
import { acceptance, setup } from './people.schema.js';

/** For people who have no bearer yet: a token of one use stands in its place. */
@Controller('api/v1')
export class JoinController {
  constructor(
    private readonly join: Join,
    private readonly audit: AuditTrail,
  ) {}

  @Post('setup')
  async setUp(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    return this.noted('setUpOrganisation', ip, await this.join.setUp(readInput(setup, body), ip));
  }

  @Post('invitations/accept')
  async accept(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    return this.noted('acceptInvitation', ip, await this.join.accept(readInput(acceptance, body), ip));
  }

  private async noted(operationId: string, address: string, joined: Joined): Promise<unknown> {
    const ids = { personId: joined.member.id, organisationId: joined.organisation.id };
    await this.audit.note(personEntry(ids, operationId, address), 201);
    return viewOf(joined);
  }
}

const viewOf = ({ organisation, member }: Joined) => ({ organisation, member: memberView(member) });

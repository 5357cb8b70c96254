import { Body, Controller, Post, Req } from '@nestjs/common';
import { readInput } from '@aerie/http-api';
import type { Request } from 'express';
import { Join, type Joined } from './join.js';
import { memberView } from './people.controller.js';
import { acceptance, setup } from './people.schema.js';

/** For people who have no bearer yet: a token of one use stands in its place. */
@Controller('api/v1')
export class JoinController {
  constructor(private readonly join: Join) {}

  @Post('setup')
  async setUp(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    return viewOf(await this.join.setUp(readInput(setup, body), ip));
  }

  @Post('invitations/accept')
  async accept(@Body() body: unknown, @Req() { ip = '' }: Request): Promise<unknown> {
    return viewOf(await this.join.accept(readInput(acceptance, body), ip));
  }
}

const viewOf = ({ organisation, member }: Joined) => ({ organisation, member: memberView(member) });

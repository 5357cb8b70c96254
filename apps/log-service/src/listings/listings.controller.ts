import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readInput } from '@aerie/http-api';
import { LOG_MODULES } from '@aerie/log-core';
import { RequestUpload } from '../uploads/request-upload.js';
import { AskForList } from './ask-for-list.js';
import { newListing } from './listing.schema.js';

/** Asks a dock for the logs that it has, now; nothing of it is kept. */
@Controller('api/v1/docks/:sn/log-listings')
@UseGuards(ApiKeyGuard)
export class ListingsController {
  constructor(
    private readonly askForList: AskForList,
    private readonly requestUpload: RequestUpload,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@Caller() caller: Principal, @Param('sn') sn: string, @Body() body: unknown) {
    const { modules = LOG_MODULES } = readInput(newListing, body ?? {});
    const dock = await this.requestUpload.findDock(caller, sn, 'sn');
    return this.askForList.execute(caller, dock, modules);
  }
}

import { Controller, Get, Header } from '@nestjs/common';
import { FLEET_API } from './fleet-api.js';

const TEXT = JSON.stringify(FLEET_API);

/** What this API is. Without a key: the same document lies in the repository. */
@Controller('api/v1/docks/openapi.json')
export class OpenApiController {
  @Get()
  @Header('Content-Type', 'application/json')
  find(): string {
    return TEXT;
  }
}

import { Controller, Get, Header } from '@nestjs/common';
import { MISSION_API } from './mission-api.js';

const TEXT = JSON.stringify(MISSION_API);

/** What this API is. Without a key: the same document lies in the repository. */
@Controller('api/v1/openapi.json')
export class OpenApiController {
  @Get()
  @Header('Content-Type', 'application/json')
  find(): string {
    return TEXT;
  }
}

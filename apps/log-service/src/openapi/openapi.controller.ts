import { Controller, Get, Header } from '@nestjs/common';
import { LOG_API } from './log-api.js';

const TEXT = JSON.stringify(LOG_API);

/** What this API is. Without a key: the same document lies in the repository. */
@Controller('api/v1/log-uploads/openapi.json')
export class OpenApiController {
  @Get()
  @Header('Content-Type', 'application/json')
  find(): string {
    return TEXT;
  }
}

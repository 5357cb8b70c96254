import { Controller, Get, Header } from '@nestjs/common';
import { CREDENTIAL_API } from './credential-api.js';

const TEXT = JSON.stringify(CREDENTIAL_API);

/** What this API is. Without a key: the same document lies in the repository. */
@Controller('api/v1/storage/openapi.json')
export class OpenApiController {
  @Get()
  @Header('Content-Type', 'application/json')
  find(): string {
    return TEXT;
  }
}

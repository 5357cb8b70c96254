import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, readInput } from '@aerie/http-api';
import { NotFoundError } from '@aerie/kernel';
import { z } from 'zod';
import { DOCK_ERRORS, findDockError } from '../dji/dock-errors.js';

export const errorCodeQuery = z.object({
  code: z.coerce.number().int().min(1).max(999_999).optional().describe('Only this code.'),
});

/** What the numbers of docks mean, in English and Chinese, and what an operator can do. */
@Controller('api/v1/error-codes')
@UseGuards(ApiKeyGuard)
export class ErrorCodesController {
  @Get()
  list(@Query() query: unknown) {
    const { code } = readInput(errorCodeQuery, query, 'query');
    if (code === undefined) return { items: DOCK_ERRORS };
    const known = findDockError(code);
    if (known === null) {
      throw new NotFoundError('unknown_error_code', `nobody has published what ${code} means`, {
        fields: [{ field: 'code', message: 'is in no published list' }],
      });
    }
    return { items: [known] };
  }
}

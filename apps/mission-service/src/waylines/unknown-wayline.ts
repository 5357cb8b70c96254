import { notThere } from '@aerie/http-api';
import type { NotFoundError } from '@aerie/kernel';

export const unknownWayline = (field: string, id: string): NotFoundError =>
  notThere({
    ...{ code: 'unknown_wayline', noun: 'wayline', field, sent: id },
    advice: 'GET /api/v1/waylines lists them, POST /api/v1/waylines stores a route file',
  });

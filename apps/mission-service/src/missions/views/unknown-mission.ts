import { notThere } from '@aerie/http-api';
import type { NotFoundError } from '@aerie/kernel';

export const unknownMission = (id: string): NotFoundError =>
  notThere({
    ...{ code: 'unknown_mission', noun: 'mission', field: 'id', sent: id },
    advice: 'GET /api/v1/missions lists them',
  });

import { notThere } from '@aerie/http-api';

export const unknownSite = (field: string, id: string) =>
  notThere({
    ...{ code: 'unknown_site', noun: 'site', field, sent: id },
    advice: 'GET /api/v1/sites lists the sites',
  });

import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { newSite, siteChange, sitePageSchema, siteSchema } from './site.schema.js';

/** The routes of SitesController, for callers. */

const tag = 'sites';
const path = '/api/v1/sites';
const params = { id: z.uuid().describe('Id of the site.') };
const nameTaken = '`site_exists`: another site has this name';

export const SITE_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createSite',
    permission: 'sites.manage',
    tag,
    summary: 'Make a site',
    description: 'A place with docks. Keys and members can be limited to sites (`siteIds`).',
    body: jsonBody(newSite, { name: 'Harbour', timeZone: 'Europe/Berlin', latitude: 53.54, longitude: 9.97 }),
    answers: { 201: jsonAnswer('The site was made.', siteSchema, ['Location']) },
    problems: { 409: { description: `${nameTaken}. \`too_many_sites\`: delete some first.` } },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listSites',
    permission: 'sites.read',
    tag,
    summary: 'List sites',
    description: 'The newest first. Whoever is limited to sites sees these.',
    paged: true,
    answers: { 200: jsonAnswer('One page.', sitePageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getSite',
    permission: 'sites.read',
    tag,
    summary: 'Show a site',
    params,
    answers: { 200: jsonAnswer('The site.', siteSchema) },
  }),
  route({
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'changeSite',
    permission: 'sites.manage',
    tag,
    summary: 'Change a site',
    params,
    body: jsonBody(siteChange, { name: 'Harbour, east' }),
    answers: { 200: jsonAnswer('The site.', siteSchema) },
    problems: { 409: { description: `${nameTaken}.` } },
  }),
  route({
    method: 'delete',
    path: `${path}/{id}`,
    operationId: 'deleteSite',
    permission: 'sites.manage',
    tag,
    summary: 'Delete a site',
    params,
    answers: { 200: jsonAnswer('The site as it was.', siteSchema) },
    problems: {
      409: {
        description:
          '`site_has_docks`: docks are there, retired ones too. `site_has_holders`: keys, members or invitations are limited to it.',
      },
    },
  }),
];

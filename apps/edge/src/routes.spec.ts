import { readFileSync } from 'node:fs';
import { otherSpellings, sameSpellings } from '@aerie/testing';
import type { Config } from './config.js';
import { routesOf, targetOf } from './routes.js';

const API = new URL('../../../docs/api/', import.meta.url);

function pathsIn(document: string): string[] {
  const { paths } = JSON.parse(readFileSync(new URL(document, API), 'utf8')) as { paths: object };
  return Object.keys(paths);
}

const routes = {
  '/api/v1/docks': 'http://fleet',
  '/api/v1/docks/*/log-listings': 'http://log',
  '/api/v1/missions': 'http://mission',
};

it.each([
  ['/api/v1/docks', 'http://fleet'],
  ['/api/v1/docks?limit=2', 'http://fleet'],
  ['/api/v1/docks/SN/state', 'http://fleet'],
  ['/api/v1/docks/SN/log-listings', 'http://log'],
  ['/api/v1/docks/log-listings', 'http://fleet'],
  ['/api/v1/missions/1/cancel', 'http://mission'],
])('sends %s to the service that owns it', (url, target) => {
  expect(targetOf(routes, url)).toBe(target);
});

it.each([
  '/',
  '/api/v1/nothing',
  '/api/v1/missionsx',
  '/api/v1/__proto__',
  '/api/v1/docks/../missions',
  '/api/v1/docks/%2e%2e/missions',
  '/api/v1/docks%2fSN',
  '//api/v1/docks',
  '/api/v1/docks/./SN',
  '/api/v1/docks\\..\\missions',
  '/api/v1/docks/SN#/log-listings',
  'http://fleet/api/v1/docks',
  '*',
  '/readyz',
])('sends %s to nobody', (url) => {
  expect(targetOf(routes, url)).toBeUndefined();
});

describe('the table of services', () => {
  const services = {
    EDGE_FLEET_URL: 'http://fleet',
    EDGE_MISSION_URL: 'http://mission',
    EDGE_LOG_URL: 'http://log',
    EDGE_CREDENTIAL_URL: 'http://credential',
  } as Config;
  const described = Object.entries({
    'openapi.json': 'http://mission',
    'credential.openapi.json': 'http://credential',
    'log.openapi.json': 'http://log',
  }).flatMap(([document, service]) => pathsIn(document).map((path) => ({ path, service })));

  it.each(described)('sends $path to the service that describes it', ({ path, service }) => {
    expect(targetOf(routesOf(services), path.replace(/\{\w+\}/g, '1'))).toBe(service);
  });

  it.each(described)('sends no other spelling of $path to another service [N43]', ({ path, service }) => {
    const asked = path.replace(/\{\w+\}/g, '1');
    for (const url of otherSpellings(asked)) expect([url, targetOf(routesOf(services), url)]).toEqual([url, undefined]);
    for (const url of sameSpellings(asked)) expect([undefined, service]).toContain(targetOf(routesOf(services), url));
  });

  it('sends docks to fleet-service', () => {
    expect(targetOf(routesOf(services), '/api/v1/docks/SN/state')).toBe('http://fleet');
  });
});

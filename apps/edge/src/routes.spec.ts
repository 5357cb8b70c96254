import { targetOf } from './routes.js';

const routes = { '/api/v1/docks': 'http://fleet', '/api/v1/missions': 'http://mission' };

it.each([
  ['/api/v1/docks', 'http://fleet'],
  ['/api/v1/docks?limit=2', 'http://fleet'],
  ['/api/v1/docks/SN/state', 'http://fleet'],
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
  '/readyz',
])('sends %s to nobody', (url) => {
  expect(targetOf(routes, url)).toBeUndefined();
});

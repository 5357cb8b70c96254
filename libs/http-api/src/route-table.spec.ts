import { z } from 'zod';
import { jsonAnswer, route } from './openapi/index.js';
import { RouteTable } from './route-table.js';

const aRoute = (method: 'get' | 'post' | 'patch', path: string) =>
  route({
    ...{ method, path, operationId: `${method} ${path}`, tag: 'birds', summary: 'irrelevant' },
    public: true,
    answers: { 200: jsonAnswer('irrelevant', z.strictObject({})) },
  });

const table = new RouteTable([
  ...[aRoute('get', '/birds/{id}'), aRoute('patch', '/birds/{id}'), aRoute('post', '/birds/preview')],
  ...[aRoute('get', '/birds'), aRoute('get', '/birds/{id}/rings.json')],
]);

it.each([
  ['/birds', ['get']],
  ['/birds/', ['get']],
  ['/Birds/7', ['get', 'patch']],
  ['/birds/preview', ['get', 'patch', 'post']],
  ['/birds/7/rings.json', ['get']],
  ['/birds/7/ringsxjson', []],
  ['/birds/7/8', []],
  ['/fish', []],
])('knows the methods at %s', (path, methods) => {
  expect(table.methodsAt(path)).toEqual(methods);
});

it('prefers a literal part to a parameter, and reads HEAD as GET', () => {
  expect(table.find('POST', '/birds/preview')?.path).toBe('/birds/preview');
  expect(table.find('HEAD', '/birds/7')?.operationId).toBe('get /birds/{id}');
  expect(table.find('DELETE', '/birds/7')).toBeUndefined();
});

import { readFileSync } from 'node:fs';
import { schemaCompiler } from '@aerie/testing';
import { CONTROLLERS } from '../app.module.js';
import { MISSION_API, ROUTES } from './mission-api.js';
import { routesOf } from './routes-of.fixture.js';

const COMMITTED = new URL('../../../../docs/api/openapi.json', import.meta.url);
const running = routesOf(CONTROLLERS);
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;
const checkAt = schemaCompiler(MISSION_API);

type Json = Readonly<Record<string, unknown>>;
interface Found {
  readonly pointer: string;
  readonly value: Json;
}

/** Every object inside, with the pointer to it. */
function* objectsIn(value: unknown, pointer = ''): Generator<Found> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield { pointer, value: value as Json };
  for (const [key, inner] of Object.entries(value)) {
    yield* objectsIn(inner, `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`);
  }
}

function resolve(pointer: string): unknown {
  const steps = pointer.slice(2).split('/');
  return steps.reduce<unknown>((at, step) => (at as Json)[step.replace(/~1/g, '/').replace(/~0/g, '~')], MISSION_API);
}

const everything = [...objectsIn(MISSION_API)];
const operations = Object.entries(MISSION_API.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('the document and the running routes', () => {
  it('are the same routes', () => {
    expect(ROUTES.map(nameOf).sort()).toEqual(running.map(nameOf).sort());
  });

  it.each(running.filter(({ status }) => status !== null))(
    'agree on the status of success of $method $path',
    ({ method, path, status }) => {
      const described = ROUTES.find((route) => nameOf(route) === nameOf({ method, path }));
      expect(Object.keys(described?.answers ?? {})).toEqual([String(status)]);
    },
  );

  it('agree on who needs no key', () => {
    const open = running.filter(({ guarded }) => !guarded).map(nameOf);
    expect(ROUTES.filter((route) => route.public === true).map(nameOf)).toEqual(open);
  });
});

describe('the document', () => {
  it('is the one that is committed', () => {
    // After a change of a route: npm run docs:api.
    expect(JSON.parse(readFileSync(COMMITTED, 'utf8'))).toEqual(JSON.parse(JSON.stringify(MISSION_API)));
  });

  it('names each operation once', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it('files every operation under a tag that it explains', () => {
    const tags = MISSION_API.tags.map(({ name }) => name);
    expect(operations.filter(({ operation }) => !operation.tags.every((tag) => tags.includes(tag)))).toEqual([]);
  });

  it('declares exactly the parameters that are in a path', () => {
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? []) as { readonly in?: string; readonly name?: string }[];
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect({ path, params: declared.filter((p) => p.in === 'path').map((p) => p.name) }).toEqual({
        path,
        params: inPath,
      });
    }
  });

  it('refers to nothing that is not there', () => {
    const references = everything.flatMap(({ value }) => (typeof value['$ref'] === 'string' ? [value['$ref']] : []));
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it('uses every component', () => {
    const used = new Set(everything.map(({ value }) => value['$ref']));
    const components = Object.entries(MISSION_API.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, entries]) => Object.keys(entries).map((name) => `#/components/${kind}/${name}`));
    expect(components.filter((component) => !used.has(component))).toEqual([]);
  });

  it('describes every answer', () => {
    const answers = operations.flatMap(({ operation }) => Object.values(operation.responses) as Json[]);
    expect(answers.filter((answer) => typeof answer['description'] !== 'string' && !('$ref' in answer))).toEqual([]);
  });

  it('describes every field', () => {
    // A field may itself be called properties, as in GeoJSON.
    const schemas = everything.filter(({ pointer }) => !pointer.endsWith('/properties'));
    const fields = schemas.flatMap(({ pointer, value }) =>
      Object.entries((value['properties'] ?? {}) as Readonly<Record<string, Json>>).map(([name, field]) => ({
        at: `${pointer} ${name}`,
        field,
      })),
    );
    const isDescribed = ({ field }: { field: Json }): boolean => {
      const target = typeof field['$ref'] === 'string' ? (resolve(field['$ref']) as Json) : field;
      return typeof field['description'] === 'string' || typeof target['description'] === 'string';
    };
    expect(fields.length).toBeGreaterThan(150);
    expect(fields.filter((field) => !isDescribed(field)).map(({ at }) => at)).toEqual([]);
  });

  it('holds schemas of draft 2020-12 that compile', () => {
    const schemas = everything.filter(({ pointer }) => /\/(schema|schemas\/[^/]+)$/.test(pointer));
    for (const { pointer } of schemas) expect(() => checkAt(pointer)).not.toThrow();
  });
});

describe('the examples', () => {
  const bodies = everything.filter(({ pointer }) => /\/requestBody\/content\/[^/]+$/.test(pointer));
  const json = bodies.filter(({ pointer }) => pointer.endsWith('application~1json'));

  it('are there for every JSON body', () => {
    expect(json.filter(({ value }) => value['example'] === undefined)).toEqual([]);
  });

  it.each(json)('fit their schema: $pointer', ({ pointer, value }) => {
    expect(checkAt(`${pointer}/schema`)(value['example'])).toEqual([]);
  });

  it.each(json)('would be refused with a field that is not known: $pointer', ({ pointer, value }) => {
    expect(checkAt(`${pointer}/schema`)({ ...(value['example'] as Json), unheardOf: 1 })).not.toEqual([]);
  });

  it.each(ROUTES.filter(({ body }) => body?.content['application/json'] !== undefined))(
    'are taken by the schema that checks them: $operationId',
    ({ body }) => {
      const { schema, example } = body?.content['application/json'] ?? {};
      expect(schema?.safeParse(example).error).toBeUndefined();
    },
  );
});

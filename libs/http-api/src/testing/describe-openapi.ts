import { readFileSync } from 'node:fs';
import { schemaCompiler } from '@aerie/testing';
import type { OpenApiDocument, RouteDescription } from '../openapi/types.js';
import { type Json, objectsIn, valueAt } from './pointers.js';
import { type ControllerClass, routesOf } from './routes-of.js';

export interface DescribedApi {
  readonly document: OpenApiDocument;
  /** What the document was made of. */
  readonly routes: readonly RouteDescription[];
  /** What answers. */
  readonly controllers: readonly ControllerClass[];
  /** The copy in docs/api. */
  readonly committed: URL;
  /** The document has more than so many: a search that finds nothing would find no fault either. */
  readonly moreThan: { readonly references: number; readonly fields: number };
}

/** What holds for the OpenAPI document of every service, as tests of one. */
export function describeOpenApi(api: DescribedApi): void {
  describe('the document and the running routes', () => compareRoutes(api));
  describe('the document', () => {
    it('is the one that is committed', () => {
      // After a change of a route: npm run docs:api.
      expect(JSON.parse(readFileSync(api.committed, 'utf8'))).toEqual(JSON.parse(JSON.stringify(api.document)));
    });
    checkOperations(api);
    checkParts(api);
  });
  describe('the examples', () => checkExamples(api));
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }): string => `${method} ${path}`;

function compareRoutes({ routes, controllers }: DescribedApi): void {
  const running = routesOf(controllers);

  it('are the same routes', () => {
    expect(routes.map(nameOf).sort()).toEqual(running.map(nameOf).sort());
  });

  it.each(running.filter(({ status }) => status !== null))(
    'agree on the status of success of $method $path',
    ({ method, path, status }) => {
      const described = routes.find((route) => nameOf(route) === nameOf({ method, path }));
      expect(Object.keys(described?.answers ?? {})).toEqual([String(status)]);
    },
  );

  it('agree on what needs no permission', () => {
    const open = running.filter(({ guarded }) => !guarded).map(nameOf);
    expect(
      routes
        .filter(({ permission }) => permission === undefined)
        .map(nameOf)
        .sort(),
    ).toEqual(open.sort());
  });
}

function checkOperations({ document }: DescribedApi): void {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );

  it('names each operation once', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it('files every operation under a tag that it explains', () => {
    const tags = document.tags.map(({ name }) => name);
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

  it('describes every answer', () => {
    const answers = operations.flatMap(({ operation }) => Object.values(operation.responses) as Json[]);
    expect(answers.filter((answer) => typeof answer['description'] !== 'string' && !('$ref' in answer))).toEqual([]);
  });
}

function checkParts({ document, moreThan }: DescribedApi): void {
  const everything = [...objectsIn(document)];
  const checkAt = schemaCompiler(document);

  it('refers to nothing that is not there', () => {
    const references = everything.flatMap(({ value }) => (typeof value['$ref'] === 'string' ? [value['$ref']] : []));
    expect(references.length).toBeGreaterThan(moreThan.references);
    expect(references.filter((reference) => valueAt(document, reference) === undefined)).toEqual([]);
  });

  it('uses every component', () => {
    const used = new Set(everything.map(({ value }) => value['$ref']));
    const components = Object.entries(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, entries]) => Object.keys(entries).map((name) => `#/components/${kind}/${name}`));
    expect(components.filter((component) => !used.has(component))).toEqual([]);
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
      const target = typeof field['$ref'] === 'string' ? (valueAt(document, field['$ref']) as Json) : field;
      return typeof field['description'] === 'string' || typeof target['description'] === 'string';
    };
    expect(fields.length).toBeGreaterThan(moreThan.fields);
    expect(fields.filter((field) => !isDescribed(field)).map(({ at }) => at)).toEqual([]);
  });

  it('holds schemas of draft 2020-12 that compile', () => {
    const schemas = everything.filter(({ pointer }) => /\/(schema|schemas\/[^/]+)$/.test(pointer));
    for (const { pointer } of schemas) expect(() => checkAt(pointer)).not.toThrow();
  });
}

/** Every schema of an object in a JSON body, also behind references. */
function objectsOfBodies(document: OpenApiDocument): { readonly pointer: string; readonly value: Json }[] {
  const found = new Map<string, Json>();
  const walk = (root: Json, at: string): void => {
    for (const { pointer, value } of objectsIn(root, at)) {
      if (value['type'] === 'object') found.set(pointer, value);
      const reference = value['$ref'];
      if (typeof reference !== 'string' || found.has(reference)) continue;
      found.set(reference, valueAt(document, reference) as Json);
      walk(valueAt(document, reference) as Json, reference);
    }
  };
  for (const { pointer, value } of objectsIn(document)) {
    if (/\/requestBody\/content\/application~1json$/.test(pointer)) walk(value['schema'] as Json, pointer);
  }
  return [...found].map(([pointer, value]) => ({ pointer, value })).filter(({ value }) => value['type'] === 'object');
}

function checkExamples({ document, routes }: DescribedApi): void {
  const checkAt = schemaCompiler(document);
  const bodies = [...objectsIn(document)].filter(({ pointer }) => /\/requestBody\/content\/[^/]+$/.test(pointer));
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

  it('are of schemas that take no unknown field at any depth', () => {
    const open = objectsOfBodies(document).filter(({ value }) => value['additionalProperties'] === undefined);
    expect(open.map(({ pointer }) => pointer)).toEqual([]);
  });

  it.each(routes.filter(({ body }) => body?.content['application/json'] !== undefined))(
    'are taken by the schema that checks them: $operationId',
    ({ body }) => {
      const { schema, example } = body?.content['application/json'] ?? {};
      expect(schema?.safeParse(example).error).toBeUndefined();
    },
  );
}

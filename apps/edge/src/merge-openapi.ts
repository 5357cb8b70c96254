type Json = Readonly<Record<string, unknown>>;

export interface OpenApiPart extends Json {
  readonly info: Json;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: Readonly<Record<string, Json>>;
}

/** The document of one service. */
export interface Part {
  /** Goes before names that another service uses for something else, e.g. `Log`. */
  readonly prefix: string;
  readonly document: OpenApiPart;
}

const INFO = {
  title: 'Aerie',
  version: '1',
  description:
    'The whole API of an open cloud for drone docks. Instants are RFC 3339; units are in the names of fields. Errors are ' +
    'problem+json (RFC 9457) with a stable `code`. Fields may be added at any time; a client must ignore those that it does ' +
    'not know.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

/**
 * One document of those of all services. What several of them have alike is in it once; where two use one name for two
 * things, the later one gets its prefix. Throws where two services describe one operation.
 */
export function mergeOpenApi(parts: readonly Part[]): OpenApiPart {
  const [first] = parts;
  if (first === undefined) throw new Error('there is no document to merge');
  const paths: Record<string, Record<string, unknown>> = {};
  const components: Record<string, Record<string, unknown>> = {};
  const tags = new Map<string, string>();
  for (const part of parts) {
    const document = withOwnNames(part, components, tags);
    for (const [kind, entries] of Object.entries(document.components)) {
      components[kind] = { ...components[kind], ...entries };
    }
    for (const { name, description } of document.tags) tags.set(name, description);
    for (const [path, operations] of Object.entries(document.paths)) {
      const known = (paths[path] ??= {});
      for (const [method, operation] of Object.entries(operations)) {
        if (method in known) throw new Error(`${method} ${path} is described by two services`);
        known[method] = withUnavailable(operation as Json);
      }
    }
  }
  return {
    ...first.document,
    info: INFO,
    tags: [...tags].map(([name, description]) => ({ name, description })),
    paths,
    components,
  };
}

/** The document with other names where the merged ones mean something else. */
function withOwnNames(
  { prefix, document }: Part,
  components: Readonly<Record<string, Json>>,
  tags: ReadonlyMap<string, string>,
): OpenApiPart {
  const renamed = new Map<string, string>();
  // A component that refers to a renamed one is another one, too: until nothing changes.
  for (let before = -1; before !== renamed.size;) {
    before = renamed.size;
    for (const [kind, entries] of Object.entries(document.components)) {
      for (const [name, entry] of Object.entries(entries)) {
        const known = components[kind]?.[name];
        const pointer = `#/components/${kind}/${name}`;
        if (known === undefined || isSame(known, pointing(entry, renamed))) continue;
        renamed.set(pointer, `#/components/${kind}/${prefix}${name}`);
      }
    }
  }
  const tagOf = (name: string): string => {
    const own = document.tags.find((tag) => tag.name === name)?.description;
    return tags.has(name) && tags.get(name) !== own ? `${prefix.toLowerCase()} ${name}` : name;
  };
  const pointed = pointing(document, renamed) as OpenApiPart;
  return {
    ...pointed,
    tags: pointed.tags.map(({ name, description }) => ({ name: tagOf(name), description })),
    paths: Object.fromEntries(
      Object.entries(pointed.paths).map(([path, operations]) => [path, withTags(operations, tagOf)]),
    ),
    components: Object.fromEntries(
      Object.entries(pointed.components).map(([kind, entries]) => [
        kind,
        Object.fromEntries(
          Object.entries(entries).map(([name, entry]) => [
            renamed.get(`#/components/${kind}/${name}`)?.split('/').at(-1) ?? name,
            entry,
          ]),
        ),
      ]),
    ),
  };
}

/** The edge answers 503 for a service that does not answer, also on routes that the service itself always answers. */
function withUnavailable(operation: Json): Json {
  const responses = operation['responses'] as Json;
  return '503' in responses
    ? operation
    : { ...operation, responses: { ...responses, 503: { $ref: '#/components/responses/Unavailable' } } };
}

const withTags = (operations: Json, tagOf: (name: string) => string): Json =>
  Object.fromEntries(
    Object.entries(operations).map(([method, operation]) => {
      const { tags = [], ...rest } = operation as Json & { readonly tags?: readonly string[] };
      return [method, { ...rest, tags: tags.map(tagOf) }];
    }),
  );

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The value with its references to what was renamed. */
function pointing(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((entry) => pointing(entry, renamed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? (renamed.get(inner) ?? inner) : pointing(inner, renamed),
    ]),
  );
}

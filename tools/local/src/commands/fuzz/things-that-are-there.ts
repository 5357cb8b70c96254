/** An OpenAPI document, as far as it is looked into. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, unknown>>;
}

/** Ids of things that are there, by the collection in their path: `/api/v1/docks/{sn}` asks for one of `docks`. */
export type KnownIds = Readonly<Record<string, readonly string[]>>;

/** Members and parameters that name a thing, with its collection. */
const NAMED: Readonly<Record<string, string>> = {
  dockSn: 'docks',
  waylineId: 'waylines',
  missionId: 'missions',
  uploadId: 'log-uploads',
  campaignId: 'log-campaigns',
};

/**
 * A copy of the document in which whatever names a thing is either one that is there or what the document says: random
 * serial numbers and ids meet nothing, and nearly every answer would be a 404.
 */
export function withKnownIds<Document extends ApiDocument>(document: Document, known: KnownIds): Document {
  return {
    ...document,
    paths: Object.fromEntries(
      Object.entries(document.paths).map(([path, item]) => [path, offered(item, known, collectionOf(path))]),
    ),
    ...('components' in document ? { components: offered(document.components, known, undefined) } : {}),
  };
}

/** The segment before the first that is a parameter. */
function collectionOf(path: string): string | undefined {
  const segments = path.split('/');
  return segments[segments.findIndex((segment) => segment.startsWith('{')) - 1];
}

function offered(part: unknown, known: KnownIds, collection: string | undefined): unknown {
  if (Array.isArray(part)) return part.map((entry) => offered(entry, known, collection));
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, offered(value, known, collection)] as const),
  );
  const { properties } = copy as { properties?: Record<string, unknown> };
  for (const [name, schema] of Object.entries(properties ?? {})) {
    const ids = known[NAMED[name] ?? ''];
    if (properties !== undefined && ids !== undefined) properties[name] = either(ids, schema);
  }
  const { in: place, name, schema } = copy as { in?: unknown; name?: unknown; schema?: unknown };
  if (typeof name === 'string' && schema !== undefined && (place === 'path' || place === 'query')) {
    const ids = known[NAMED[name] ?? (place === 'path' && /^(id|sn)$/.test(name) ? (collection ?? '') : '')];
    if (ids !== undefined) copy['schema'] = either(ids, schema);
  }
  return copy;
}

const either = (ids: readonly string[], schema: unknown): unknown =>
  ids.length === 0 ? schema : { anyOf: [{ type: 'string', enum: ids }, schema] };

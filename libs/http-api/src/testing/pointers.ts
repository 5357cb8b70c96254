export type Json = Readonly<Record<string, unknown>>;

interface Found {
  /** [RFC 6901] */
  readonly pointer: string;
  readonly value: Json;
}

/** Every object inside, with the pointer to it. */
export function* objectsIn(value: unknown, pointer = ''): Generator<Found> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield { pointer, value: value as Json };
  for (const [key, inner] of Object.entries(value)) {
    yield* objectsIn(inner, `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`);
  }
}

/** What a reference such as `#/components/schemas/Mission` leads to. */
export function valueAt(document: unknown, reference: string): unknown {
  const steps = reference.slice(2).split('/');
  return steps.reduce<unknown>((at, step) => (at as Json)[step.replace(/~1/g, '/').replace(/~0/g, '~')], document);
}

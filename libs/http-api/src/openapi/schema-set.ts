import { z } from 'zod';
import type { JsonSchema } from './types.js';

export const REF = '#/components/schemas/';
/** What the pattern of these formats adds is only length. */
const FORMATS_THAT_SAY_ALL: readonly unknown[] = ['date-time', 'uuid'];

/**
 * Turns zod schemas into JSON Schema, all of one direction at once: those with a name become components, and every
 * place that uses one refers to it.
 */
export class SchemaSet {
  private readonly registry = z.registry<{ id: string }>();
  private readonly names = new Map<z.core.$ZodType, string>();
  private anonymous = 0;
  private made: Readonly<Record<string, JsonSchema>> | undefined;

  /** `input`: what a caller may send. `output`: what a caller gets. */
  constructor(
    private readonly io: 'input' | 'output',
    private readonly named: Readonly<Record<string, z.ZodType>>,
  ) {
    for (const [name, schema] of Object.entries(named)) this.add(schema, name);
  }

  /** Says that this schema will be asked for. All are added before the first is used. */
  use(schema: z.ZodType): void {
    if (!this.names.has(schema)) this.add(schema, `${this.io}:${this.anonymous++}`);
  }

  /** A reference where the schema has a name, else the schema itself. */
  schemaOf(schema: z.ZodType): JsonSchema {
    const name = this.names.get(schema);
    if (name === undefined) throw new Error('a schema is used that was not added');
    if (Object.hasOwn(this.named, name)) return { $ref: `${REF}${name}` };
    return this.all()[name] ?? {};
  }

  components(): Record<string, JsonSchema> {
    const all = this.all();
    return Object.fromEntries(Object.keys(this.named).map((name) => [name, all[name] ?? {}]));
  }

  private add(schema: z.ZodType, name: string): void {
    this.names.set(schema, name);
    this.registry.add(schema, { id: name });
  }

  private all(): Readonly<Record<string, JsonSchema>> {
    this.made ??= this.make();
    return this.made;
  }

  private make(): Readonly<Record<string, JsonSchema>> {
    const { schemas } = z.toJSONSchema(this.registry, {
      io: this.io,
      target: 'draft-2020-12',
      uri: (id) => `${REF}${id}`,
      override: ({ jsonSchema }) => {
        plain(jsonSchema);
        if (this.io === 'output') open(jsonSchema);
      },
    });
    return Object.fromEntries(
      Object.entries(schemas).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema as JsonSchema]),
    );
  }
}

/** A later release may say more; only our own tests hold an answer to the fields that are described. */
function open(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
}

/** Leaves out what is true of every JSON number, and patterns that only repeat their format. */
function plain(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (FORMATS_THAT_SAY_ALL.includes(schema.format)) delete schema.pattern;
}

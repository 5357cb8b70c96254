import { z } from 'zod';
import { DOCUMENTED_AS } from '../query-input.js';
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
    const shown = (schema: JsonSchema): JsonSchema => (this.io === 'input' ? withoutDefaults(schema) : schema);
    return Object.fromEntries(Object.keys(this.named).map((name) => [name, shown(all[name] ?? {})]));
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
      override: ({ zodSchema, jsonSchema }) => {
        showAs(jsonSchema, DOCUMENTED_AS.get(zodSchema));
        plain(jsonSchema);
        if (this.io === 'output') open(jsonSchema);
      },
    });
    return Object.fromEntries(
      Object.entries(schemas).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema as JsonSchema]),
    );
  }
}

/** The schema of a text gives way to that of what the text stands for. */
function showAs(schema: z.core.JSONSchema.BaseSchema, shown: JsonSchema | undefined): void {
  if (shown === undefined) return;
  for (const name of Object.keys(schema)) if (name !== 'description') delete schema[name];
  Object.assign(schema, shown);
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

/**
 * Says in words what holds where a member is left out. Generators take a member with `default` for one that is always
 * there, which is true of an answer; of a request they would make it mandatory.
 */
export function withoutDefaults(schema: JsonSchema): JsonSchema {
  const plainer = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, name === 'properties' ? eachOf(value) : inside(value)]),
  );
  if (!Object.hasOwn(schema, 'default')) return plainer;
  const { default: fallback, description, ...rest } = plainer;
  const words = typeof description === 'string' ? description : '';
  const said = /\bdefault\b/i.test(words) ? words : `${words} Default: ${JSON.stringify(fallback)}.`.trim();
  return { ...rest, description: said };
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member may itself be called default. */
const eachOf = (properties: unknown): JsonSchema =>
  Object.fromEntries(Object.entries(properties as JsonSchema).map(([name, value]) => [name, inside(value)]));

function inside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inside);
  return isObject(value) ? withoutDefaults(value) : value;
}

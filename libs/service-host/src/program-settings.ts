import { z } from 'zod';
import { readCommandConfig, readConfig } from './config.js';
import { namesBeside } from './setting-files.js';

/** What a program reads of its environment. Each `config.ts` exports one as SETTINGS, from which docs/settings.md is written. */
export interface ProgramSettings<Schema extends z.ZodType = z.ZodType> {
  /** Who reads it. */
  readonly program: string;
  /** All that begins so is ours: what is no setting of this program is a mistake. */
  readonly prefix: string;
  readonly schema: Schema;
}

/** What the commands beside a program read, by their file. A `config.ts` exports it as COMMANDS. */
export type CommandSettings = Readonly<Record<string, z.ZodType>>;

export const readSettings = <Schema extends z.ZodType>(
  settings: ProgramSettings<Schema>,
  env: NodeJS.ProcessEnv,
): z.output<Schema> => readConfig(settings.schema, env, settings);

/** The same for a program that people start: it ends with exit code 2. */
export const readCommandSettings = <Schema extends z.ZodType>(settings: ProgramSettings<Schema>): z.output<Schema> =>
  readCommandConfig(settings.schema, settings);

/** One setting, in the words of docs/settings.md. */
export interface DescribedSetting {
  readonly name: string;
  readonly says: string;
  readonly isRequired: boolean;
  readonly fallback?: string | number | undefined;
  readonly least?: number | undefined;
  readonly most?: number | undefined;
  readonly oneOf?: readonly string[] | undefined;
  /** Settings that complete this one, all of them files. */
  readonly files: readonly string[];
}

interface InputSchema {
  readonly properties?: Readonly<
    Record<
      string,
      {
        readonly description?: string;
        readonly default?: string | number;
        readonly minimum?: number;
        readonly maximum?: number;
        readonly enum?: readonly string[];
      }
    >
  >;
}

/** @throws where a setting has no description: nobody could use it */
export function describeSettings(schema: z.ZodType): DescribedSetting[] {
  // Some inputs have no JSON schema, and bounds, defaults and words of theirs do not depend on that.
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as InputSchema;
  const beside = namesBeside(schema);
  return Object.entries(properties).map(([name, { description: says, ...input }]) => {
    if (says === undefined) throw new Error(`${name} has no description: add .describe('…')`);
    return {
      ...{ name, says, isRequired: !isOptional(schema, name), fallback: input.default },
      least: boundOf(input.minimum),
      most: boundOf(input.maximum),
      oneOf: input.enum,
      files: beside.get(name) ?? [],
    };
  });
}

/** By asking, because a setting may be optional at any place of its chain. */
function isOptional(schema: z.ZodType, name: string): boolean {
  const field = (schema as z.ZodObject).shape[name] as z.ZodType;
  return field.safeParse(undefined).success;
}

/** A whole number without a bound has those of safe integers in a JSON schema, which are no choice of anybody. */
const boundOf = (bound: number | undefined): number | undefined =>
  bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound;

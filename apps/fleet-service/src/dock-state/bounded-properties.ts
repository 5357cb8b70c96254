/** Documented devices send at most a few dozen properties in one message; none has a name or a value near these. */
const MAX_PROPERTIES = 500;
const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 16 * 1024;

export interface BoundedProperties {
  /** Name and JSON text of the value. */
  readonly kept: readonly (readonly [name: string, json: string, value: unknown])[];
  /** How many properties were left out. */
  readonly dropped: number;
}

/**
 * The properties of one message as they may be kept: what one device sends must not fill the store that all share. The
 * first ones of a message count. Names that begin with an underscore are our own.
 */
export function boundedProperties(properties: Readonly<Record<string, unknown>>): BoundedProperties {
  const kept: (readonly [string, string, unknown])[] = [];
  let dropped = 0;
  for (const [name, value] of Object.entries(properties)) {
    const json = kept.length < MAX_PROPERTIES && isName(name) ? JSON.stringify(value) : undefined;
    if (json === undefined || json.length > MAX_VALUE_LENGTH) dropped++;
    else kept.push([name, json, value]);
  }
  return { kept, dropped };
}

const isName = (name: string): boolean => name.length <= MAX_NAME_LENGTH && !name.startsWith('_');

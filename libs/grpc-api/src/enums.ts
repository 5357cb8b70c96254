/** Our words and the contract's names of them: `timed` and `MISSION_KIND_TIMED`, `return-home` and `CONTROL_ACTION_RETURN_HOME`. */
export function enumName(prefix: string, word: string): string {
  const upper = word.replace(/([a-z])([A-Z])/g, '$1_$2').replace(/-/g, '_');
  return `${prefix}_${upper}`.toUpperCase();
}

/** The client library hands enums out as their names, and as numbers where it has none. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * Our word for a name of the contract; undefined for UNSPECIFIED, and the name itself where we have no word for it. A
 * caller of a later release may send a number that has no name here: it stays a number, which no check lets through.
 */
export function wordOf(prefix: string, words: readonly string[], name: unknown): string | undefined {
  if (name === undefined || name === null || name === `${prefix}_UNSPECIFIED`) return undefined;
  return words.find((word) => enumName(prefix, word) === name) ?? textOf(name);
}

import { errorCode } from '@aerie/dji-protocol';

/** What the vendor's list says of a result code, in both of its languages; null where it says nothing. */
export function dockErrorOf(result: number): { readonly en: string; readonly zh: string } | null {
  const known = errorCode(result);
  return known === null ? null : { en: known.en, zh: known.zh };
}

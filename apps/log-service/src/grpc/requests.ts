import { type Message, defined, isoOf, only, wordOf } from '@aerie/grpc-api';
import { InvalidError } from '@aerie/kernel';
import { LOG_MODULES } from '@aerie/log-core';

/** What several calls have alike, as HTTP would have got it. */

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** An id as the caller wrote it. */
export const idOf = ({ id }: Message): string => textOf(id) ?? '';

/** The version that the caller has seen; null where it said none. */
export function versionOf({ expectedVersion }: Message): number | null {
  if (expectedVersion === undefined || expectedVersion === null) return null;
  if (Number.isInteger(expectedVersion) && Number(expectedVersion) >= 0) return Number(expectedVersion);
  throw new InvalidError('invalid_input', 'the request is not valid', {
    fields: [{ field: 'expectedVersion', message: 'must be a version as it was shown' }],
  });
}

/** The words of a repeated enum; undefined where there is none, as an empty list cannot be told from none. */
export function wordsOf(prefix: string, words: readonly string[], value: unknown): (string | undefined)[] | undefined {
  const names = (value ?? []) as readonly unknown[];
  return names.length === 0 ? undefined : names.map((name) => wordOf(prefix, words, name));
}

export const moduleOf = (value: unknown): string | undefined => wordOf('LOG_MODULE', LOG_MODULES, value);
export const modulesOf = (value: unknown): (string | undefined)[] | undefined =>
  wordsOf('LOG_MODULE', LOG_MODULES, value);

export const pageOf = (message: Message): Message =>
  defined({ limit: message['pageSize'], cursor: message['pageToken'] });

/** `window` and `latest`, where they are set. */
export function selectionOf(message: Message): Message {
  const { window, latest } = message as Readonly<Record<string, Message | null | undefined>>;
  return defined({
    window:
      window &&
      defined({ from: isoOf(window['from']), until: isoOf(window['until']), modules: modulesOf(window['modules']) }),
    latest: latest && defined({ ...only(latest, 'count'), modules: modulesOf(latest['modules']) }),
  });
}

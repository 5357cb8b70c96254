import { InvalidError } from './errors.js';

/** A setting of a server that a program depends on, and that is not as it should be. */
export interface Finding {
  /** The server, as people call it. */
  readonly what: string;
  /** The setting of the server, or of ours. */
  readonly field: string;
  /** What it is, what it has to be, and what to change. */
  readonly message: string;
  /** A promise would be broken: the program does not start. Else it is a matter of comfort. */
  readonly isError: boolean;
}

/** All that was found, in one error. */
export function findingsError(findings: readonly Finding[]): InvalidError {
  const list = findings.map(({ what, field, message }) => `  ${what}, ${field}: ${message}`).join('\n');
  return new InvalidError('invalid_server_settings', `servers have settings that break what is promised:\n${list}`, {
    fields: findings.map(({ what, field, message }) => ({ field: `${what}, ${field}`, message })),
  });
}

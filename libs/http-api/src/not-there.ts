import { NotFoundError } from '@aerie/kernel';

interface NotThere {
  readonly code: string;
  /** What it would be, e.g. `mission`. */
  readonly noun: string;
  readonly field: string;
  readonly sent: string;
  /** What the caller can do. */
  readonly advice: string;
}

const LONGEST_SHOWN = 80;

/** The caller has nothing of that name: says which field, what was sent, and where to look. */
export function notThere({ code, noun, field, sent, advice }: NotThere): NotFoundError {
  const name = sent.length > LONGEST_SHOWN ? `${sent.slice(0, LONGEST_SHOWN)}…` : sent;
  return new NotFoundError(code, `there is no ${noun} ${name} in this organisation; ${advice}`, {
    fields: [{ field, message: `${JSON.stringify(name)} is no ${noun} of this organisation; ${advice}` }],
  });
}

/** A dock that is not registered, or belongs to somebody else. */
export const unknownDock = (field: string, sn: string): NotFoundError =>
  notThere({
    ...{ code: 'unknown_dock', noun: 'registered dock', field, sent: sn },
    advice: 'GET /api/v1/docks lists the docks, POST /api/v1/docks registers one',
  });

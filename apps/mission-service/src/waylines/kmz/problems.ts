import { type FieldProblem, InvalidError } from '@aerie/kernel';
import { LIMITS } from './limits.js';
import type { Warning } from './wayline.js';

/** A place in a file, so that a person finds it: file, line, and the element as it is written there. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly element: string;
}

const fieldAt = ({ file, line, element }: Place): string => `${file}:${line} <${element}>`;

/** Ends the reading of one file, or of all. What is wrong was noted before. */
export class StopReading extends Error {
  constructor(readonly everything: boolean) {
    super('stop reading');
  }
}

/** Notes what is wrong and what is odd, each up to a limit, so that a caller sees much of it at once. */
export class Problems {
  private readonly found: FieldProblem[] = [];
  readonly warnings: Warning[] = [];

  get none(): boolean {
    return this.found.length === 0;
  }

  add(field: string | Place, message: string): void {
    this.found.push({ field: typeof field === 'string' ? field : fieldAt(field), message });
    if (this.found.length >= LIMITS.problems) throw new StopReading(true);
  }

  /** Notes a problem after which the rest of this file means nothing. */
  stopFile(field: string | Place, message: string): never {
    this.add(field, message);
    throw new StopReading(false);
  }

  /** Notes a problem after which nothing of the archive is read any more. */
  stopAll(field: string | Place, message: string): never {
    this.add(field, message);
    throw new StopReading(true);
  }

  warn({ file, element, line }: Place, message: string): void {
    if (this.warnings.length < LIMITS.warnings) this.warnings.push({ file, element, line, message });
  }

  toError(): InvalidError {
    const count = this.found.length;
    const message = `the file is no usable route: ${count === 1 ? 'one problem' : `${count} problems`}`;
    return new InvalidError('invalid_kmz', message, { fields: this.found });
  }
}

/** Text from the file inside a message: short, and without control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

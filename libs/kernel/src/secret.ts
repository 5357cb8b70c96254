const hidden = new WeakMap<Secret, string>();

/** A text that must not reach a log, a job, a stream or a table. Printing it in any way shows `[secret]`. */
export class Secret {
  constructor(text: string) {
    hidden.set(this, text);
  }

  /** The text itself, for the one place that needs it. */
  reveal(): string {
    return hidden.get(this) ?? '';
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

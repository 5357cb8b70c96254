import { FormError } from './form-error.js';

/** The parameters of an action. A parameter that the action does not know is refused: it may have meant less access. */
export class FormParameters {
  private readonly values = new Map<string, string>();

  constructor(body: string) {
    for (const [name, value] of new URLSearchParams(body)) {
      if (this.values.has(name)) throw new FormError('ValidationError', `Twice the parameter ${name}.`);
      this.values.set(name, value);
    }
  }

  get(name: string): string | undefined {
    return this.values.get(name);
  }

  require(name: string, shape: RegExp): string {
    const value = this.values.get(name) ?? '';
    if (!shape.test(value)) throw new FormError('ValidationError', `${name} is missing or not valid.`);
    return value;
  }

  allowOnly(names: readonly string[]): void {
    const unknown = [...this.values.keys()].find((name) => !['Action', 'Version', ...names].includes(name));
    if (unknown !== undefined) throw new FormError('ValidationError', `The parameter ${unknown} is not supported.`);
  }
}

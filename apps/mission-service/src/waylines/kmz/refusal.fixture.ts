import { type FieldProblem, InvalidError } from '@aerie/kernel';
import { readKmz } from './read-kmz.js';

/** What a route file is refused for; empty when it is accepted. Any other error than InvalidError passes through. */
export async function problemsOf(bytes: Buffer): Promise<readonly FieldProblem[]> {
  try {
    await readKmz(bytes);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.fields;
    throw error;
  }
}

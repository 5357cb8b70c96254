import type { Secret } from '@aerie/kernel';

/** A secret as it may lie in a table. */
export interface Sealed {
  /** Which key opens it. */
  readonly keyId: string;
  readonly bytes: Buffer;
}

/**
 * Encrypts what has to be kept. An implementation binds the text to its `context`, so that a sealed text that was
 * copied to another row does not open there, and goes on opening what older keys have sealed.
 */
export abstract class KeyRing {
  /** @throws UnavailableError when the keys are elsewhere and do not answer */
  abstract seal(text: Secret, context: string): Promise<Sealed>;

  /** @throws UnavailableError when the key is not there (any more), or the text is not what was sealed */
  abstract open(sealed: Sealed, context: string): Promise<Secret>;
}

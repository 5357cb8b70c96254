import type { AuditTrail } from '@aerie/http-api';
import { InvalidError, UnauthenticatedError } from '@aerie/kernel';
import type { ApiDatabase } from '@aerie/persistence';
import {
  type RegistrationResponseJSON,
  type WebAuthnCredential,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { personEntry } from '../audit/person-entry.js';
import type { TokenGuesses } from '../people/token-guesses.js';
import { type MadeSession, type SessionStore } from '../sessions/session.store.js';
import type { SignIn } from '../sessions/sign-in.js';
import { CHALLENGE_MS, type Challenges } from './challenges.js';
import type { NewPasskey, PasskeySignInWish } from './passkey.schema.js';
import type { Holder, PasskeyRow, PasskeyStore } from './passkey.store.js';

/** EdDSA, ES256, RS256: what authenticators have, and nothing with SHA-1. */
const ALGORITHMS = [-8, -7, -257];
const OPERATION = 'signInWithPasskey';

export interface PasskeyParts {
  readonly database: ApiDatabase;
  /** Of the pages on which people sign in: `https://aerie.example.com`. All have the same host. */
  readonly origins: readonly string[];
  readonly store: PasskeyStore;
  readonly challenges: Challenges;
  readonly sessions: SessionStore;
  readonly signIns: SignIn;
  readonly guesses: TokenGuesses;
  /** Begun sign-ins of an address. */
  readonly begins: TokenGuesses;
  readonly audit: AuditTrail;
}

export interface PasskeyOptions {
  readonly challengeId: string;
  readonly publicKey: object;
}

/** Passkeys (WebAuthn): how people add them, and sign in with them. The authenticator verifies its user, by a PIN or a finger. */
export class Passkeys {
  private readonly rpId: string;

  constructor(private readonly parts: PasskeyParts) {
    this.rpId = new URL(parts.origins[0] ?? '').hostname;
  }

  get store(): PasskeyStore {
    return this.parts.store;
  }

  /** Throws UnauthenticatedError for a wrong password, TooManyError, UnavailableError. */
  async beginAdding(personId: string, currentPassword: string, address: string): Promise<PasskeyOptions> {
    const { store, signIns, challenges } = this.parts;
    const person = await signIns.provePassword(personId, currentPassword, address);
    const known = await store.list(personId);
    const challenge = await challenges.make(personId);
    const publicKey = await generateRegistrationOptions({
      ...{ rpName: 'Aerie', rpID: this.rpId, userName: person.email, userDisplayName: person.name },
      ...{ userID: Buffer.from(personId), challenge: Buffer.from(challenge.text, 'base64url'), timeout: CHALLENGE_MS },
      ...{ attestationType: 'none', supportedAlgorithmIDs: ALGORITHMS },
      // The person names itself by the passkey alone, and proves to be there.
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: known.map(({ credential_id: id }) => ({ id })),
    });
    return { challengeId: challenge.id, publicKey };
  }

  /** Throws InvalidError for what does not verify, ConflictError, UnavailableError. */
  async add({ personId, sessionId }: Holder, { challengeId, name, credential }: NewPasskey): Promise<PasskeyRow> {
    const { store, challenges, origins } = this.parts;
    const expectedChallenge = await challenges.take(challengeId, personId);
    if (expectedChallenge === null)
      throw unusable('challengeId', 'was answered, has expired or never was; begin again');
    const { registrationInfo } = await verifyRegistrationResponse({
      // Looser than the type of the library, which looks at all of it.
      response: credential as unknown as RegistrationResponseJSON,
      ...{
        expectedChallenge,
        expectedOrigin: [...origins],
        expectedRPID: this.rpId,
        supportedAlgorithmIDs: ALGORITHMS,
      },
      requireUserVerification: true,
    }).catch(() => ({ registrationInfo: undefined }));
    if (registrationInfo === undefined) throw unusable('credential', `does not verify for ${origins.join(', ')}`);
    const { credential: made, credentialDeviceType } = registrationInfo;
    const passkey = {
      ...{ person_id: personId, credential_id: made.id, public_key: Buffer.from(made.publicKey), name },
      ...{ signCount: made.counter, transports: made.transports ?? [], synced: credentialDeviceType === 'multiDevice' },
    };
    return store.add(passkey, sessionId);
  }

  /** Throws TooManyError or UnavailableError. */
  async beginSignIn(address: string): Promise<PasskeyOptions> {
    this.parts.begins.count(address);
    const challenge = await this.parts.challenges.make(null);
    const publicKey = await generateAuthenticationOptions({
      ...{ rpID: this.rpId, userVerification: 'required', timeout: CHALLENGE_MS },
      challenge: Buffer.from(challenge.text, 'base64url'),
    });
    return { challengeId: challenge.id, publicKey };
  }

  /**
   * Throws UnauthenticatedError, the same for whatever is wrong, TooManyError, UnavailableError, and ConflictError where the
   * person has to say which organisation is meant.
   */
  async signIn(wish: PasskeySignInWish, address: string): Promise<MadeSession> {
    const { guesses, sessions, signIns, audit } = this.parts;
    const proven = await guesses.guess(address, () => this.verify(wish, address));
    if (proven === null) throw wrongPasskey();
    const organisation = await signIns.chooseOrganisation(proven.id, wish.organisationId);
    const made = await sessions.begin(organisation.id, proven, address);
    if (made === null) throw wrongPasskey();
    const ids = { personId: proven.id, organisationId: organisation.id };
    await audit.note(personEntry(ids, OPERATION, address, { passkey: proven.passkeyId }), 201);
    return made;
  }

  private async verify({ challengeId, credential }: PasskeySignInWish, address: string) {
    const { store, challenges, origins, signIns } = this.parts;
    const expectedChallenge = await challenges.take(challengeId, null);
    const row = await store.findByCredential(credential.id);
    if (row === null || expectedChallenge === null) return null;
    const verified = await verifyAuthenticationResponse({
      response: credential as unknown as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
      ...{ expectedChallenge, expectedOrigin: [...origins], expectedRPID: this.rpId, requireUserVerification: true },
      credential: credentialOf(row),
    }).catch(() => null);
    const { userHandle } = credential.response;
    const isSamePerson = userHandle == null || userHandle === Buffer.from(row.person_id).toString('base64url');
    if (verified?.verified === true && isSamePerson) {
      return { id: row.person_id, passkeyId: row.id, signCount: verified.authenticationInfo.newCounter };
    }
    await signIns.noteWrong(row.person_id, OPERATION, address);
    return null;
  }
}

const credentialOf = ({ credential_id: id, public_key, sign_count }: PasskeyRow): WebAuthnCredential => ({
  ...{ id, publicKey: new Uint8Array(public_key), counter: Number(sign_count) },
});

function unusable(field: string, message: string): InvalidError {
  return new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field, message }] });
}

const wrongPasskey = (): UnauthenticatedError => {
  const message = 'is no passkey with which somebody can sign in here, or its challenge was answered or has expired';
  return new UnauthenticatedError('wrong_passkey', `the credential ${message}`, {
    fields: [{ field: 'credential', message }],
  });
};

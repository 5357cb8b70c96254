import { listSchema } from '@aerie/http-api';
import { z } from 'zod';
import { password } from '../people/people.schema.js';

/** What callers send and get of passkeys. What a browser makes of a passkey is read by the library that verifies it. */

/** Far longer than what an authenticator makes: a certificate chain of an attestation is a few KiB. */
const MOST_CHARACTERS = 16_384;
/** A credential ID has 1,023 bytes at most (WebAuthn, 5.8.1). */
const MOST_ID_CHARACTERS = 1_364;

const base64url = (most: number) => z.string().regex(/^[\w-]+$/).max(most); // prettier-ignore
const bytes = base64url(MOST_CHARACTERS);

/** Browsers send members that later versions of WebAuthn define; they say nothing that is needed. */
const credential = <Response extends z.ZodRawShape>(response: Response) =>
  z.looseObject({
    id: base64url(MOST_ID_CHARACTERS).describe('Credential ID, base64url.'),
    rawId: base64url(MOST_ID_CHARACTERS).describe('The same.'),
    type: z.literal('public-key').describe('The only type there is.'),
    response: z.looseObject(response).describe('What the authenticator answered.'),
    clientExtensionResults: z.record(z.string(), z.unknown()).default({}).describe('Results of extensions. Not read.'),
  });

const challengeId = z.uuid().describe('`challengeId` of the options. Each is used once, within 5 minutes.');
const clientDataJSON = bytes.describe('Client data, base64url.');

export const optionsWish = z.strictObject({
  currentPassword: password.describe(
    'Password of the person: a token that was stolen must not make a lasting passkey.',
  ),
});

export const newPasskey = z.strictObject({
  challengeId,
  name: z.string().trim().min(1).max(100).describe('What the person calls it, e.g. the device that has it.'),
  credential: credential({
    clientDataJSON,
    attestationObject: bytes.describe('Attestation object, base64url.'),
    transports: z.array(z.string().max(32)).max(16).optional().describe('How browsers reach the authenticator.'),
  }).describe('`PublicKeyCredential.toJSON()` of `navigator.credentials.create`.'),
});

export const passkeySignIn = z.strictObject({
  challengeId,
  organisationId: z.uuid().optional().describe('Required of who is a member of several organisations.'),
  credential: credential({
    clientDataJSON,
    authenticatorData: bytes.describe('Authenticator data, base64url.'),
    signature: bytes.describe('Signature, base64url.'),
    userHandle: base64url(128).nullish().describe('The id of the person, as it was when the passkey was made.'),
  }).describe('`PublicKeyCredential.toJSON()` of `navigator.credentials.get`.'),
});
export type NewPasskey = z.output<typeof newPasskey>;
export type PasskeySignInWish = z.output<typeof passkeySignIn>;

const options = z.record(z.string(), z.unknown());
export const optionsSchema = z.strictObject({
  challengeId: z.uuid().describe('Sent back with what the browser made.'),
  publicKey: options.describe(
    'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` of a browser.',
  ),
});

const members = {
  id: z.uuid().describe('Id of the passkey.'),
  name: z.string().describe('What the person calls it.'),
  synced: z.boolean().describe('Whether the provider of the authenticator keeps a copy for other devices.'),
  createdAt: z.iso.datetime().describe('When it was added. RFC 3339, UTC.'),
  lastUsedAt: z.iso.datetime().nullable().describe('When somebody signed in with it last. Null: never.'),
};
export const passkeySchema = z.strictObject(members).describe('A passkey of the person.');
export const removedPasskeySchema = z.strictObject({
  ...members,
  endedSessions: z.int().describe('How many other sessions of the person have ended with it.'),
});
export const passkeyListSchema = listSchema(passkeySchema, 'All passkeys of the person.');

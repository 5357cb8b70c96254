import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** Asymmetric algorithms only. HS* would accept the client secret or a public key as the key; `none` has no signature. */
export const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'],
];
/** For clocks that differ. */
const TOLERANCE_S = 30;
/** The provider issues the token during our request, so an older one is a replay. */
const OLDEST_S = 600;
const LONGEST_SUBJECT = 255;

export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
}

export interface IdClaims extends JWTPayload {
  readonly sub: string;
}

/**
 * Verifies an ID token and returns its claims. Keys come only from the provider's key set: the headers `jku`, `x5u` and
 * `jwk` are ignored. Throws an error of jose or an IdTokenError.
 * [OpenID Connect Core, 3.1.3.7]
 */
export async function readIdToken(token: string, keyOf: JWTVerifyGetKey, expected: Expected): Promise<IdClaims> {
  const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
    issuer: expected.issuer,
    audience: expected.clientId,
    algorithms: ALGORITHMS,
    clockTolerance: TOLERANCE_S,
    maxTokenAge: OLDEST_S,
    requiredClaims: ['exp', 'iat', 'sub', 'nonce'],
  });
  const { typ } = protectedHeader;
  if (typ !== undefined && typ.toLowerCase() !== 'jwt')
    throw new IdTokenError('the ID token has another type than JWT');
  if (payload['nonce'] !== expected.nonce) throw new IdTokenError('the ID token has another nonce');
  const others = Array.isArray(payload.aud) && payload.aud.length > 1;
  const { azp } = payload;
  if ((others || azp !== undefined) && azp !== expected.clientId) {
    throw new IdTokenError('the ID token is for another client too');
  }
  const { sub } = payload;
  if (sub === undefined || sub === '' || sub.length > LONGEST_SUBJECT)
    throw new IdTokenError('the ID token has no valid subject');
  return { ...payload, sub };
}

/** The signature is valid, but the token is not for this sign-in. */
export class IdTokenError extends Error {}

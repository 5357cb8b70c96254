/**
 * Codes by which servers refuse. Where a set has several, AWS and Ceph refuse the same thing by different names. Above
 * all, Ceph tries a key as one of a session and as a long-lived one, and often says only AccessDenied when both fail.
 */
export const DENIED = ['AccessDenied'];
export const WRONG_SIGNATURE = ['SignatureDoesNotMatch', 'AccessDenied'];
export const UNKNOWN_KEY = ['InvalidAccessKeyId', 'AccessDenied'];
/** A token that nobody issued, or for other keys. Ceph decrypts it, and may find that what comes out is no token. */
export const WRONG_TOKEN = [
  ...['InvalidToken', 'InvalidAccessKeyId', 'AccessDenied', 'SignatureDoesNotMatch', 'InvalidArgument'],
];
/** Ceph has no word of its own for a session that is over. */
export const EXPIRED_TOKEN = ['ExpiredToken', 'AccessDenied', 'InvalidAccessKeyId'];
export const SKEWED = ['RequestTimeTooSkewed'];
export const EXPIRED_URL = ['AccessDenied', 'ExpiredToken'];
/** Ceph forgets the parts together with the upload, and then misses a key. */
export const NO_UPLOAD = ['NoSuchUpload', 'NoSuchKey'];
/** An answer to HEAD has no body, so the SDK has only the status. */
export const HEAD_DENIED = ['403', 'Forbidden', 'AccessDenied', 'Unknown'];
/** What a server does not do at all it refuses to everybody. */
export const DENIED_OR_NOT_OFFERED = ['AccessDenied', 'NotImplemented', 'MethodNotAllowed'];
/** Ceph answers STS with the XML of S3, in which the SDK finds no code: then only the status is known. */
export const STS_REFUSED = [
  ...['AccessDenied', 'InvalidClientTokenId', 'SignatureDoesNotMatch', 'ValidationError'],
  ...['MalformedPolicyDocument', 'MalformedPolicyDocumentException', 'Unknown', 'NotFound'],
];

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Waits for a refusal by the server, with one of these codes. */
export async function refused(work: Promise<unknown>, codes: readonly string[]): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: SdkError) => reason,
  );
  if (error === undefined) throw new Error('the server accepted what it has to refuse');
  const status = error.$metadata?.httpStatusCode;
  if (status === undefined) throw new Error('this never reached the server', { cause: error });
  expect(codes).toContain(error.name);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500 + Number(error.name === 'NotImplemented') * 2);
}

/** The same for an answer to plain HTTP. */
export function refusedAnswer(answer: { status: number; body: string }, codes: readonly string[]): void {
  const code = /<Code>([^<]+)<\/Code>/.exec(answer.body)?.[1];
  expect({ status: answer.status, code }).toEqual({ status: expect.any(Number) as number, code: oneOf(codes) });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
}

const oneOf = (codes: readonly string[]): string => expect.stringMatching(`^(${codes.join('|')})$`) as string;

import { S3Error, type S3ErrorCode } from '../s3/s3-error.js';
import { elements } from '../s3/xml.js';

/** Codes of STS and IAM that we answer with, and their HTTP status. */
const STATUS = {
  AccessDenied: 403,
  ExpiredToken: 403,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  LimitExceeded: 409,
  MalformedPolicyDocument: 400,
  MissingAuthenticationToken: 403,
  NoSuchEntity: 404,
  PackedPolicyTooLarge: 400,
  SignatureDoesNotMatch: 403,
  UnmodifiableEntity: 400,
  ValidationError: 400,
} as const;

export type FormErrorCode = keyof typeof STATUS;

/** What S3 says of a signature, in the words of STS and IAM. */
const OF_SIGNATURE: Partial<Record<S3ErrorCode, FormErrorCode>> = {
  AccessDenied: 'MissingAuthenticationToken',
  AuthorizationHeaderMalformed: 'IncompleteSignature',
  ExpiredToken: 'ExpiredToken',
  InvalidAccessKeyId: 'InvalidClientTokenId',
  InvalidToken: 'InvalidClientTokenId',
  InternalError: 'InternalFailure',
  RequestTimeTooSkewed: 'SignatureDoesNotMatch',
  SignatureDoesNotMatch: 'SignatureDoesNotMatch',
};

/** A refusal in the words of STS and IAM. */
export class FormError extends Error {
  constructor(
    readonly code: FormErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = 'FormError';
  }

  static from(error: unknown): FormError {
    if (error instanceof FormError) return error;
    if (!(error instanceof S3Error)) return new FormError('InternalFailure', 'We failed.', { cause: error });
    return new FormError(OF_SIGNATURE[error.code] ?? 'ValidationError', error.message, { cause: error });
  }

  get status(): number {
    return STATUS[this.code];
  }

  toXml(namespace: string, requestId: string): string {
    const type = this.status < 500 ? 'Sender' : 'Receiver';
    const error = `<Error>${elements({ Type: type, Code: this.code, Message: this.message })}</Error>`;
    return `<ErrorResponse xmlns="${namespace}">${error}${elements({ RequestId: requestId })}</ErrorResponse>`;
  }
}

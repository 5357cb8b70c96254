import { JetStreamApiError } from '@nats-io/jetstream';

/** Codes of the server's answers. */
export const STREAM_NOT_FOUND = 10_059;
export const STREAM_NAME_IN_USE = 10_058;
export const CONSUMER_NOT_FOUND = 10_014;
export const CONSUMER_EXISTS = 10_148;
export const JETSTREAM_NOT_ENABLED_FOR_ACCOUNT = 10_039;
/** A message that a stream did not take. */
export const NOT_TAKEN = 10_077;

export const isApiError = (error: unknown, code: number): error is JetStreamApiError =>
  error instanceof JetStreamApiError && error.code === code;

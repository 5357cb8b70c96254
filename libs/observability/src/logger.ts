import type { LoggerService } from '@nestjs/common';
import { errorChain } from '@aerie/kernel';
import { type Logger, pino } from 'pino';
import { currentRequestId } from './request-id.js';
import { currentTrace } from './traces/traces.js';

export type { Logger };

/** Keys whose values never reach a log, wherever they stand in a logged object. */
const SECRET_KEYS = [
  ...['password', 'mqttPassword', 'apiKey', 'authorization', 'secretAccessKey', 'sessionToken', 'url'],
  // As docks are told them.
  ...['access_key_secret', 'security_token'],
];

/**
 * One JSON line per entry on standard output, or on standard error for programs whose output is data. Errors are
 * printed with the whole chain of their causes.
 */
export function createLogger(service: string, level = 'info', output: 'stdout' | 'stderr' = 'stdout'): Logger {
  return pino(
    {
      name: service,
      level,
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => {
        const requestId = currentRequestId();
        const traceId = currentTrace()?.traceId;
        return { ...(requestId === undefined ? {} : { requestId }), ...(traceId === undefined ? {} : { traceId }) };
      },
      serializers: {
        err: (error: unknown) => ({
          message: errorChain(error),
          ...(error instanceof Error ? { type: error.name, stack: error.stack } : {}),
        }),
      },
    },
    pino.destination({ dest: output === 'stdout' ? 1 : 2, sync: true }),
  );
}

/** Lets Nest speak through our logger. Nest's own boot chatter is debug to us. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown): string => (typeof message === 'string' ? message : errorChain(message));
  const context = (rest: readonly unknown[]): string | undefined => {
    const last = rest.at(-1);
    return typeof last === 'string' ? last : undefined;
  };
  return {
    log: (message, ...rest) => logger.debug({ context: context(rest) }, text(message)),
    // Nest logs a lost NATS connection as an error, but it reconnects by itself: nobody has to act.
    error: (message, ...rest) => logger.warn({ context: context(rest) }, text(message)),
    warn: (message, ...rest) => logger.warn({ context: context(rest) }, text(message)),
    debug: (message, ...rest) => logger.trace({ context: context(rest) }, text(message)),
    verbose: (message, ...rest) => logger.trace({ context: context(rest) }, text(message)),
  };
}

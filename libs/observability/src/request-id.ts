import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** Names one request in its answer and in every log line that it causes, from the edge to the service. */
export const REQUEST_ID_HEADER = 'X-Request-Id';

/** The id of a caller is written to logs and headers as it is: visible characters that need no escaping, bounded. */
const WELL_FORMED = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

const current = new AsyncLocalStorage<string>();

/** The id that the caller has sent, if it is well formed; else a new one. */
export const readRequestId = (header: string | readonly string[] | undefined): string =>
  typeof header === 'string' && WELL_FORMED.test(header) ? header : randomUUID();

/** Log lines of `work`, and of all that it starts, carry the id. */
export const runWithRequestId = <Result>(id: string, work: () => Result): Result => current.run(id, work);

/** The id of the request that is being answered; undefined outside of one. */
export const currentRequestId = (): string | undefined => current.getStore();
